"""Rules of one's own: the guide's example as a file and as an installed package, and what is wrong with broken ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trimtab.cli import main
from trimtab.rules import all_rules

Run = Callable[..., Any]
GUIDE = (Path(__file__).parents[2] / "docs" / "howto" / "custom-rule.md").read_text(encoding="utf-8")
EXAMPLE, ITS_TEST = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
TRAIN = """import torch
p = torch.nn.Parameter(torch.ones(3))
o = torch.optim.SGD([p], lr=1e-3)
for _ in range(1000):
    o.zero_grad()
    (p * p).sum().backward()
    o.step()
print("trained", sorted(n for n in __import__("sys").modules if "my_rules" in n))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_rules.py").write_text(EXAMPLE)
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "pyproject.toml").write_text('[tool.trimtab]\nplugins = ["my_rules.py"]\n')
    yield tmp_path
    all_rules.cache_clear()


def test_the_example_of_the_guide_keeps_its_promises() -> None:
    exec(EXAMPLE + ITS_TEST, {})


def test_a_file_of_rules_is_listed_explained_and_asked(
    folder: Path, trimtab: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules"]) == 0
    assert "MY101  constant-learning-rate" in capsys.readouterr().out
    assert main(["explain", "my101"]) == 0
    assert "steps = 1000 [own]" in capsys.readouterr().out
    run = trimtab("run", "--select", "MY", "train.py")
    assert (run.code, run.out) == (0, "trained []\n")
    said = " ".join(run.err.split())
    assert "note: MY101 constant-learning-rate: the learning rate is 0.001 from step 0 to step 999" in said
    assert trimtab("run", "--select", "MY", "--no-config", "train.py").code == 2


@pytest.mark.parametrize("value", ["my_rules", "my_rules:ConstantLearningRate"])
def test_an_installed_package_brings_its_rules(tmp_path: Path, trimtab: Run, value: str) -> None:
    site = tmp_path / "site"
    (site / "mine-1.0.dist-info").mkdir(parents=True)
    (site / "mine-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (site / "mine-1.0.dist-info" / "entry_points.txt").write_text(f"[trimtab.rules]\nmine = {value}\n")
    (site / "my_rules.py").write_text(EXAMPLE)
    path = f"{Path(__file__).parents[2] / 'src'}:{site}"
    assert "MY101  constant" in trimtab("rules", PYTHONPATH=path).out
    (tmp_path / "hello.py").write_text("print('hello')")
    assert trimtab("run", "--ignore", "MY101", "hello.py", PYTHONPATH=path).out == "hello\n"
    (site / "my_rules.py").write_text("1/0")
    broken = trimtab("run", "hello.py", PYTHONPATH=path)
    assert (broken.code, broken.out, broken.err.count("\n")) == (2, "", 1)
    assert f"plugin {value} of mine cannot be loaded: ZeroDivisionError" in broken.err


BROKEN = {
    "syntax": ("def f(:\n", "SyntaxError"),
    "raises": ("raise ValueError('not\\nnow')\n", "ValueError: not now"),
    "exits": ("import sys; sys.exit(0)\n", "SystemExit"),
    "empty": ("x = 1\n", "has no rule"),
    "our code": (EXAMPLE.replace("MY101", "TT101"), "'TT101'"),
    "no code": (EXAMPLE.replace('"MY101"', '"my1"'), "'my1'"),
    "no name": (EXAMPLE.replace('    name = "constant-learning-rate"\n', ""), "has no name"),
    "bad name": (EXAMPLE.replace('"constant-', '"Constant '), "hyphens"),
    "our name": (EXAMPLE.replace("constant-learning-rate", "dead-relu"), "dead-relu is a rule of trimtab already"),
    "twice": (EXAMPLE + "class Again(ConstantLearningRate):\n    '''Again.'''\n", "MY101 is a rule of"),
    "unfinished": (EXAMPLE.replace("def check", "def chek"), "cannot be made: TypeError"),
    "no source": (EXAMPLE.replace('"own"', '"nobody2000"'), "nobody2000"),
}


@pytest.mark.parametrize(("content", "told"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_named_before_anything_runs(
    folder: Path, capfd: pytest.CaptureFixture[str], content: str, told: str
) -> None:
    (folder / "my_rules.py").write_text(content)
    assert main(["rules"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "my_rules.py" in err and told in err


def test_it_is_tried_before_the_script_begins(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "my_rules.py").write_text("print('imported')\nraise ValueError('no')\n")
    assert main(["run", "train.py"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1) and "ValueError: no" in err


def test_a_rule_that_fails_leaves_the_others_their_say(folder: Path, trimtab: Run) -> None:
    (folder / "my_rules.py").write_text(EXAMPLE.replace("rates = trace", "rates = 1 / 0, trace"))
    run = trimtab("run", "--sarif", "run.sarif", "train.py")
    assert run.code == 0 and run.out.startswith("trained")
    assert "MY101 constant-learning-rate, a rule of a plugin, failed: ZeroDivisionError" in " ".join(run.err.split())
    checked = json.loads((folder / "run.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert checked and "MY101" not in {rule["id"] for rule in checked}
