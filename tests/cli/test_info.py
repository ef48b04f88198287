"""`trimtab info` for people and for programs, and `trimtab docs`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trimtab.cli.docs
from trimtab.cli import main

Run = Callable[..., Any]


def test_it_says_what_is_in_use_and_why_not(trimtab: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.trimtab]\nignore = ["TT3"]\n[tool.trimtab.per-layer-ignores]\n"a.*" = ["TT1"]'
    )
    told = json.loads(trimtab("info", "--json", TRIMTAB_NATIVE="0", TRIMTAB_TRITON="0").out)
    assert told["native_core"] == {"isa": None, "why_not": "TRIMTAB_NATIVE=0 switches it off"}
    assert told["triton_kernels"] == {"why_not": "TRIMTAB_TRITON=0 switches them off"}
    assert told["packages"]["numpy"] and told["torch"] and told["threads"] >= 1
    settings = told["configuration"]
    assert (settings["file"], settings["ignore"], settings["per-layer-ignores"]) == (
        "pyproject.toml",
        ["TT3"],
        {"a.*": ["TT1"]},
    )
    text = trimtab("info", TRIMTAB_NATIVE="0").out
    assert "not in use, torch instead: TRIMTAB_NATIVE=0" in text and "TT1 in a.*" in text


def test_a_broken_configuration_is_told_and_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.trimtab]\nbudget = 0\n")
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("trimtab") and "tool.trimtab.budget is a percentage" in out


def test_docs_opens_the_pages_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    start = tmp_path / "site" / "index.html"
    monkeypatch.setattr(trimtab.cli.docs, "START", start)
    assert main(["docs"]) == 1
    assert "carries no pages" in capsys.readouterr().err
    start.parent.mkdir()
    start.touch()
    assert main(["docs", "--path"]) == 0
    assert capsys.readouterr().out == f"{start}\n" and opened == []
    assert main(["docs"]) == 0
    assert opened == [start.as_uri()]
