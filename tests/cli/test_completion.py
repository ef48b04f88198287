"""Real shells complete commands, options, codes, remedies and files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed"))
    for shell in ("bash", "zsh", "fish")
]
BASH = """eval "$(trimtab completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete trimtab
printf '%s\\n' "${COMPREPLY[@]}"
"""
# What a zsh function would be given by the editor of the line; _describe gets the candidates.
ZSH = """compdef() { :; }
_describe() { print -l -- "${(@P)2}"; }
eval "$(trimtab completion zsh)"
BUFFER=$1 CURSOR=${#1} words=(trimtab)
_python_argcomplete
"""
FISH = """trimtab completion fish | source
complete --do-complete $argv[1]
"""
SCRIPTS = {"bash": (BASH, "bash"), "zsh": (ZSH, "zsh"), "fish": (FISH,)}
CASES = {
    "trimtab expl": {"explain"},
    "trimtab run --se": {"--seed", "--select"},
    "trimtab run --fail-on ": {"never", "warn", "fail"},
    "trimtab run --ignore TT30": {f"TT30{n}" for n in range(1, 8)},
    "trimtab run --ignore TT101,TT5": {"TT101,TT501", "TT101,TT502", "TT101,TT503"},
    "trimtab run --with clip": {"clip-by-norm", "clip-by-value"},
    "trimtab run --quiet tr": {"train.py"},
    "trimtab run train.py --sel": set[str](),
    "trimtab run train.py da": {"data.csv"},
    "trimtab diagnose r": {"run.db"},
    "trimtab demo sig": {"sigmoid-digits"},
    "trimtab explain TT10": {f"TT10{n}" for n in range(1, 5)},
    "trimtab completion ": {"bash", "zsh", "fish"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for name in ("train.py", "data.csv", "run.db"):
        (folder / name).touch()
    command = folder / "bin" / "trimtab"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trimtab "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.mark.parametrize("line", CASES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_is_completed(folder: Path, shell: str, line: str) -> None:
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(SOURCE),
        "HOME": str(folder),
    }
    script, *name = SCRIPTS[shell]
    words = [shell, *(["-f"] if shell == "zsh" else ["--norc"] if shell == "bash" else ["--no-config"])]
    done = subprocess.run(
        [*words, "-c", script, *name, line], cwd=folder, env=environment, capture_output=True, text=True
    )
    said = {each.partition("\t")[0].partition(":")[0].strip() for each in done.stdout.splitlines()} - {""}
    assert said == CASES[line], done.stderr
