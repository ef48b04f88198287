"""The commands that read: they need no torch, and each names the next one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trimtab.cli import COMMANDS, main
from trimtab.core.rule import Rule
from trimtab.core.trace import Event
from trimtab.record import Writer
from trimtab.rules import all_rules
from trimtab.version import __version__


@pytest.fixture(autouse=True)
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing torch fails in these tests, as on a machine without it."""
    for name in [name for name in sys.modules if name == "torch" or name.startswith(("torch.", "trimtab.watching"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    writer = Writer("run.db", {"script": "train.py", "ended": "end", "overhead": 0.01})
    writer.event(Event(0, "unseen", {"reason": "nothing moved", "what": "nothing moved"}))
    writer.close()
    return "run.db"


def test_diagnose_prints_the_report(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", record, "--json", "out.json"]) == 0
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], out.splitlines()[-1], err) == (
        "UNSEEN: no training was observed",
        "next: trimtab report run.db",
        "",
    )
    assert json.loads(Path("out.json").read_text())["status"] == "unseen"


def test_diagnose_gives_nothing_but_json_to_a_pipe(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", record, "--json", "-", "--fail-on", "fail"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["record"] == "run.db"
    assert err == "next: trimtab report run.db\n"


def test_report_writes_a_page_beside_the_record(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", record]) == 0
    assert Path("run.html").read_text().lower().lstrip().startswith("<!doctype html>")
    assert "run.html" in capsys.readouterr().out
    assert main(["report", record, "--html", "other page.html"]) == 0
    assert Path("other page.html").exists()


def test_rules_are_listed_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[:5] for line in lines if line.startswith("TT")] == [rule.code for rule in all_rules()]
    assert lines[-1].startswith("next: trimtab explain TT")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_is_explained_by_code_and_by_name(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", rule.code.lower()]) == 0
    by_code = capsys.readouterr().out
    assert main(["explain", rule.name]) == 0
    assert capsys.readouterr().out == by_code
    assert by_code.startswith(f"{rule.code} {rule.name}\n")
    assert "next: trimtab" in by_code.splitlines()[-1]


def test_info_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["trimtab", __version__]
    assert any(line.startswith("torch") and "cannot be imported" in line for line in lines)


def test_the_examples_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    out = capsys.readouterr().out
    assert "sigmoid-digits" in out
    assert out.splitlines()[-1].startswith("next: trimtab demo")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("trimtab 0")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: trimtab {command}" in capsys.readouterr().out
