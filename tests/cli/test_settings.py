"""`trimtab run` and the commands that read honour [tool.trimtab] and the comments of the script, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.cli import main
from trimtab.cli.configuration import settings_for
from trimtab.cli.run import parser
from trimtab.record import read

Run = Callable[..., Any]
TRAIN = """import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-9){comment}
x = torch.randn(64, 4) * 1000
for _ in range(40):
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
TABLE = """[tool.trimtab]
ignore = ["TT6"]
[tool.trimtab.per-layer-ignores]
"0" = ["TT101"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "train.py").write_text(TRAIN.format(comment="  # trimtab: ignore[TT4, TT999]"))
    (tmp_path / "pyproject.toml").write_text(TABLE)
    (inner / "pyproject.toml").write_text("[tool.other]\ntrimtab = 1\n")
    return tmp_path


def test_a_run_and_its_later_diagnosis_leave_out_the_same_and_say_so(project: Path, trimtab: Run) -> None:
    run = trimtab("run", "--record", "run.db", "--json", "out.json", "inner/train.py")
    told = json.loads((project / "out.json").read_text())
    assert {(i["code"], i["layer"], i["by"]) for i in told["ignored"]} == {
        ("TT6", None, "pyproject.toml"),
        ("TT101", "0", "pyproject.toml"),
        ("TT4", None, "train.py:5"),
    }
    assert {i["code"]: i["findings"] for i in told["ignored"]}["TT101"] == 1
    assert not {f["code"] for f in told["findings"]} & {"TT101", "TT401", "TT402"}
    said = " ".join(run.err.split())
    assert "ignored: TT6 (pyproject.toml), TT101 in 0 (pyproject.toml, 1 finding), TT4 (train.py:5" in said
    assert "train.py:5: the comment to trimtab ignores 'TT999', which no rule has" in run.err
    later = trimtab("diagnose", "run.db")
    assert later.out.partition("\nnext:")[0] == run.err.partition("\n\nwrote")[0]
    (project / "pyproject.toml").unlink()
    assert "TT101 input-not-normalized" in trimtab("diagnose", "run.db").out


def test_comments_of_a_module_are_read(project: Path, trimtab: Run) -> None:
    trimtab("run", "-q", "--record", "run.db", "-m", "inner.train")
    assert str(read("run.db").meta["suppressions"]).startswith("train.py:5-5 # trimtab: ")


def test_the_nearest_file_with_a_table_is_taken(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = project / "inner"
    assert settings_for(parser().options([]), str(inner)).source == "pyproject.toml"
    (inner / "pyproject.toml").write_text("[tool.trimtab]\nbudget = 7\n")
    assert settings_for(parser().options([]), str(inner)).budget == 7.0
    assert settings_for(parser().options(["--budget", "2"]), str(inner)).budget == 2.0
    assert settings_for(parser().options(["--no-config"]), str(inner)).source == ""
    named = settings_for(parser().options(["--config", "inner/pyproject.toml"]))
    assert (named.budget, named.source) == (7.0, "inner/pyproject.toml")


CASES = {
    "key": ('[tool.trimtab]\nslect = ["TT3"]', [], "did you mean select?"),
    "code": ('[tool.trimtab]\nignore = ["TT999"]', [], "pyproject.toml: no rule has the code or prefix 'TT999'"),
    "toml": ("[tool.trimtab\n", [], "pyproject.toml is no TOML"),
    "kind": ("[tool]\ntrimtab = 3", [], "tool.trimtab is a table; got 3"),
    "no file": ("", ["--config", "none.toml"], "--config none.toml"),
    "no table": ("[project]\nname = 'trimtab'", ["--config", "pyproject.toml"], "no table [tool.trimtab]"),
    "both": ("", ["--no-config", "--config", "a"], "not allowed with"),
    "plugin": ('[tool.trimtab]\nplugins = ["none.py"]', [], "none.py cannot be loaded"),
}


@pytest.mark.parametrize(("content", "options", "told"), CASES.values(), ids=CASES.keys())
def test_bad_configuration_is_refused_before_the_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    content: str, options: list[str], told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(content)
    (tmp_path / "train.py").write_text("from pathlib import Path; Path('it_ran').touch()\n")
    assert main(["run", *options, "train.py"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and told in err
    assert not (tmp_path / "it_ran").exists()


def test_a_bar_in_the_file_holds_and_can_be_lifted(project: Path, trimtab: Run) -> None:
    (project / "inner" / "pyproject.toml").write_text('[tool.trimtab]\nfail-on = "warn"\n')
    assert trimtab("run", "inner/train.py").code == 3
    assert trimtab("run", "--fail-on", "never", "inner/train.py").code == 0


def test_a_named_file_that_is_no_toml_is_said_to_be_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "notes.txt").write_text("a b c")
    assert main(["run", "--config", "notes.txt", "inner/train.py"]) == 2
    assert "notes.txt is no TOML" in capsys.readouterr().err
