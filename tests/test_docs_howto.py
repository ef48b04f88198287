"""The how-tos of CI and export: their commands parse, their workflow is one, their code runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab.cli import compare, diagnose, export, run

HOWTO = Path(__file__).parent.parent / "docs" / "howto"
PARSERS = {"compare": compare.parser, "diagnose": diagnose.parser, "export": export.parser}


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (HOWTO / name).read_text(encoding="utf-8"), re.DOTALL)


def workflow() -> dict[str, Any]:
    (text,) = blocks("ci.md", "yaml")
    return yaml.safe_load(text)


def steps() -> list[dict[str, Any]]:
    return workflow()["jobs"]["training"]["steps"]


def commands() -> Iterator[list[str]]:
    lines = [line for name in ("ci.md", "export.md") for block in blocks(name, "bash") for line in block.splitlines()]
    lines += [step["run"] for step in steps() if "run" in step]
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["trimtab"]:
            yield words[1:]


def test_every_command_line_parses() -> None:
    found = list(commands())
    assert {words[0] for words in found} == {"run", "diagnose", "export"}
    for name, *words in found:
        if name == "run":
            ours, program = run.split(words)
            run.parser().options(ours)
            assert program == ["train.py"]
        else:
            PARSERS[name]().options(words)


def test_the_workflow_uploads_what_the_command_writes() -> None:
    assert workflow()["permissions"]["security-events"] == "write"
    (command,) = (shlex.split(step["run"]) for step in steps() if "trimtab run" in step.get("run", ""))
    options = run.parser().options(run.split(command[2:])[0])
    uploads = {step["uses"].partition("@")[0]: step for step in steps() if "with" in step}
    assert uploads["github/codeql-action/upload-sarif"]["with"]["sarif_file"] == options.sarif
    assert uploads["actions/upload-artifact"]["with"]["path"] == options.html
    assert all(uploads[name]["if"] == "always()" for name in uploads if "upload" in name)


@pytest.mark.slow
def test_the_code_of_the_export_runs(tmp_path: Path) -> None:
    (code,) = blocks("export.md", "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.search(r"^40 losses, from \S+ to \S+$", done.stdout, re.MULTILINE)
