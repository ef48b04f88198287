"""`trimtab compare` and `--sarif`: files, streams and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trimtab.cli import main
from trimtab.core.signal import LOSS
from trimtab.core.trace import Site
from trimtab.record import Writer


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, last in (("a.db", np.inf), ("b.db", 0.1)):
        writer = Writer(name, {"script": "train.py", "ended": "end", "overhead": 0.01})
        writer.add_sites("loss", [Site("loss", "train.py:3", {"line": "train.py:3"})])
        for step, value in enumerate((*np.geomspace(1, 0.2, 11), last)):
            writer.add(step, LOSS, np.array([value]))
        writer.close()
    Path("train.py").write_text("a\nb\nloss.backward()\n")


def test_two_records_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a.db", "b.db", "--json", "out.json", "--html", "out.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("A is sick, B is healthy")
    assert lines[-1] == "next: trimtab report a.db"
    assert json.loads(Path("out.json").read_text())["findings"] == {"gone": ["TT601"], "new": [], "stayed": []}
    assert Path("out.html").read_text().lower().startswith("<!doctype html>")


def test_json_alone_goes_to_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "b.db", "a.db", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["a"]["record"] == "b.db"
    assert err == "next: trimtab report a.db\n"


@pytest.mark.parametrize("words", [["a.db"], ["a.db", "nothing.db"], ["a.db", "b.db", "--html", "no/folder.html"]])
def test_bad_input_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_findings_of_a_record_as_sarif() -> None:
    assert main(["diagnose", "a.db", "--sarif", "out.sarif", "--fail-on", "fail"]) == 3
    (result,) = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "TT601"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
