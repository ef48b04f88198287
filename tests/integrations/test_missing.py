"""A library that is not installed is named, with the command that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [("lightning", ["lightning", "pytorch_lightning"]), ("huggingface", ["transformers"])],
)
def test_what_is_not_installed_is_named_with_its_command(module: str, absent: list[str]) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys({absent!r}))
from trimtab.core.errors import TrimtabError
try:
    import trimtab.integrations.{module}
except TrimtabError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert f"pip install 'trimtab[{module}]'" in said
    assert "\n" not in said.strip()
