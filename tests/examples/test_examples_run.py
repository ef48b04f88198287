"""Each bundled example, run under the watcher as `trimtab demo` does: it behaves as promised and is named rightly."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trimtab.examples import all_examples, example

ROOTS = {
    "sigmoid-digits": "TT301",
    "raw-inputs": "TT101",
    "learning-rate-too-high": "TT401",
    "nan-in-data": "TT103",
    "healthy-digits": None,
    "rnn-through-time": "TT301",
}


def run(name: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """What the example prints, and its diagnosis."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--json", str(report), str(example(name).path)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, timeout=110)
    return done.stdout, json.loads(report.read_text(encoding="utf-8"))


def last_number(text: str, label: str) -> float:
    return float(re.findall(rf"{label}\s+(\S+)", text)[-1])


def behaves(name: str, printed: str) -> bool:
    """Whether the script itself shows what its summary says."""
    if name == "nan-in-data":
        return printed.strip().endswith("nan")
    if name == "rnn-through-time":
        return last_number(printed, "loss") > 2.2
    accuracy = last_number(printed, "test accuracy")
    return accuracy > 0.85 if name == "healthy-digits" else accuracy < 0.6


def test_every_example_is_tried():
    assert {each.name for each in all_examples()} == set(ROOTS)


@pytest.mark.parametrize(("name", "root"), ROOTS.items())
def test_example_is_named_rightly(name: str, root: str | None, tmp_path: Path):
    printed, diagnosis = run(name, tmp_path)
    assert behaves(name, printed), printed
    assert diagnosis["status"] == ("sick" if root else "healthy"), diagnosis["findings"]
    assert [finding["code"] for finding in diagnosis["findings"] if finding["root"]][:1] == ([root] if root else [])
