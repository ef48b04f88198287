"""`trimtab run`: what it leaves, says and returns."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.cli.run import split
from trimtab.core.trace import Event
from trimtab.record import Writer, read

Run = Callable[..., Any]

TRAINS = """
import sys
import torch
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
data = torch.randn(64, 3)
if "nan" in sys.argv:
    data[0, 0] = float("nan")
for step in range(40):
    optimizer.zero_grad()
    loss = (model(data) - data.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
print("steps:", step + 1, sys.argv[1:])
sys.exit(6 if "fails" in sys.argv else 0)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINS)
    return tmp_path


def test_the_script_first_and_the_rest_is_its_own() -> None:
    assert split(["--quiet", "--json", "a", "s.py", "--json", "b"]) == (
        ["--quiet", "--json", "a"],
        ["s.py", "--json", "b"],
    )
    assert split(["--budget=5", "-m", "pkg", "-q"]) == (["--budget=5"], ["-m", "pkg", "-q"])
    assert split(["-q", "-mpkg", "--", "x"]) == (["-q"], ["-mpkg", "--", "x"])
    assert split(["--max-steps", "3", "--", "-odd.py"]) == (["--max-steps", "3"], ["-odd.py"])
    assert split(["--max-steps", "3"]) == (["--max-steps", "3"], [])


def test_files_report_and_exit_code_of_a_sick_run(script: Path, trimtab: Run) -> None:
    words = ["--json", "out.json", "--html", "out.html", "--record", "run.db", "--fail-on", "warn"]
    result = trimtab("run", *words, "train.py", "nan", "--html", "x")
    assert (result.code, result.out) == (3, "steps: 40 ['nan', '--html', 'x']\n")
    assert "SICK" in result.err
    last = result.err.splitlines()[-1]
    assert last.startswith("next: trimtab explain TT")
    found = json.loads((script / "out.json").read_text())
    assert (found["status"], found["steps"], found["script"]) == ("sick", 40, "train.py")
    assert (script / "out.html").read_text().lstrip().lower().startswith("<!doctype html>")
    assert read(script / "run.db").meta["ended"] == "exit"
    assert sorted(path.name for path in script.iterdir()) == ["out.html", "out.json", "run.db", "train.py"]


def test_a_failing_script_keeps_its_own_code(script: Path, trimtab: Run) -> None:
    result = trimtab("run", "--quiet", "--fail-on", "warn", "--record", "run.db", "train.py", "nan", "fails")
    assert (result.code, result.err) == (6, "")


def test_rules_can_be_left_out(script: Path, trimtab: Run) -> None:
    result = trimtab("run", "--quiet", "--fail-on", "warn", "--ignore", "TT", "train.py", "nan")
    assert (result.code, result.err) == (0, "")


def test_the_run_ends_after_the_wanted_steps(script: Path, trimtab: Run) -> None:
    result = trimtab("run", "--max-steps", "5", "train.py")
    assert (result.code, result.out) == (0, "")
    (record,) = (script / ".trimtab").glob("train-*.db")
    assert (script / ".trimtab" / ".gitignore").read_text() == "*\n"
    trace = read(record)
    assert (trace.steps, trace.meta["ended"], trace.meta["script"]) == (5, "max-steps", "train.py")
    assert f"next: trimtab report {os.path.join('.trimtab', record.name)} --html train.html" in result.err


def test_a_script_without_torch_is_unseen_and_never_healthy(script: Path, trimtab: Run) -> None:
    (script / "plain.py").write_text("print('hello')")
    result = trimtab("run", "--json", "out.json", "--fail-on", "warn", "plain.py")
    assert (result.code, result.out) == (0, "hello\n")
    assert "UNSEEN" in result.err
    assert "torch was never imported" in result.err
    assert json.loads((script / "out.json").read_text())["status"] == "unseen"


def test_modules_beside_the_script_do_not_reach_the_report(script: Path, trimtab: Run) -> None:
    for name in ("rich", "altair", "difflib"):
        (script / f"{name}.py").write_text("raise RuntimeError('not the package that trimtab needs')")
    (script / "plain.py").write_text("import sys; print('hello', sys.path[0])")
    result = trimtab("run", "plain.py")
    assert "UNSEEN" in result.err


def test_a_report_that_cannot_be_written_at_the_end_is_said(script: Path, trimtab: Run) -> None:
    (script / "out").mkdir()
    (script / "plain.py").write_text("import os; os.rmdir('out')")
    result = trimtab("run", "--json", "out/out.json", "--record", "run.db", "plain.py")
    assert result.code == 2
    assert "trimtab: cannot write out/out.json" in result.err.replace(str(script) + os.sep, "")
    assert read(script / "run.db").steps == 0


def test_a_watcher_that_fails_leaves_the_script_alone(script: Path, trimtab: Run) -> None:
    (script / "plain.py").write_text(
        "import sys\nsys.modules['trimtab.watching'] = None\nimport torch\nprint('goes on')"
    )
    result = trimtab("run", "plain.py")
    assert (result.code, result.out) == (0, "goes on\n")
    assert "trimtab: this run is not watched" in result.err
    assert "UNSEEN" in result.err


def test_a_record_that_another_run_is_writing_is_left_to_it(script: Path, trimtab: Run) -> None:
    writer = Writer(script / "run.db", {"script": "first.py"})
    writer.event(Event(0, "mark", {}))
    writer.commit()
    result = trimtab("run", "--record", "run.db", "train.py")
    assert "this run is not watched" in result.err
    assert "wrote" not in result.err
    writer.close()
    assert read(script / "run.db").meta["script"] == "first.py"
