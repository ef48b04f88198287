"""An option of trimtab's after the script goes to the script; where the script does not know it, one line says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train.py", "--html", "a.html"], "--html, after train.py, is the script's"),
        (["train.py", "--html=a", "--fail-on", "warn"], "--html, --fail-on, after train.py, are the script's"),
        (["train.py", "--lr", "0.1"], ""),
        (["train.py", "--max-steps", "3"], ""),  # the script has an option of this name
        (["train.py", "--", "--html"], ""),
    ],
)
def test_an_option_in_the_wrong_place(tmp_path: Path, trimtab: Run, words: list[str], said: str) -> None:
    (tmp_path / "train.py").write_text("import sys; print(sys.argv[1:]); max_steps = 3")
    result = trimtab("run", *words)
    told = [line for line in result.err.splitlines() if "after train.py" in line]
    assert (result.code, result.out) == (0, f"{words[1:]}\n")
    assert told == ([f"trimtab: {said}; options of trimtab stand before it"] if said else [])
    assert not trimtab("run", "--quiet", *words).err
