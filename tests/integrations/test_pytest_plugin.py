"""The fixture in projects of their own, in a pytest of their own that finds the plugin by its entry point."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

TRAINING = """
import pytest, torch
from torch import nn

def train(activation=nn.ReLU, layers=10, rate=0.01):
    torch.manual_seed(0)
    hidden = [part for _ in range(layers) for part in (nn.Linear(16, 16), activation())]
    model = nn.Sequential(*hidden, nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    x = torch.randn(64, 16)
    for _ in range(40):
        loss = (model(x) - x[:, :1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

CASES = """
def test_healthy(trimtab):
    train(layers=2)
    trimtab.assert_healthy()

@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_each(trimtab, activation):
    with trimtab.watch():
        train(activation, layers=2 if activation is nn.ReLU else 10)
    trimtab.assert_healthy()

def test_unseen(trimtab):
    with trimtab.watch():
        pass
    train(layers=2)  # not inside the block
    trimtab.assert_healthy()

def test_two_blocks(trimtab):
    with trimtab.watch(budget=50) as sick:
        train(nn.Sigmoid)
    with trimtab.watch():
        train(layers=2)
    trimtab.assert_healthy()
    assert trimtab.diagnose(sick).status == "sick"
    trimtab.assert_healthy(sick, ignore=["TT"])

def test_the_bar(trimtab):
    train(nn.Sigmoid)
    with pytest.raises(AssertionError):
        trimtab.assert_healthy(select=["TT301"], at_most="warn")

def test_stopped_short(trimtab):
    train(layers=2)
    raise RuntimeError("of the test's own")

def test_nothing_is_left():
    assert not any(hasattr(f, "trimtab_hooks") for f in (torch.autograd.backward, torch.optim.Optimizer.__init__))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the plugin registered as an installation does it."""
    declared = re.search(r"\[project\.entry-points\.pytest11\]\n(.*)\n", PROJECT)
    assert declared is not None
    info = tmp_path / "site" / "trimtab_here-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trimtab-here\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{declared.group(1).replace(chr(34), '')}\n")
    (tmp_path / "tests").mkdir()
    return tmp_path


def run(project: Path, code: str, *options: str) -> str:
    """What pytest prints about the tests in `code`; warnings are errors."""
    (project / "tests" / "test_it.py").write_text(code)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    path = os.pathsep.join((str(ROOT / "src"), str(project / "site")))
    words = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", "temporary"]
    done = subprocess.run(
        [*words, *options, "tests"], cwd=project, env={**kept, "PYTHONPATH": path}, capture_output=True, text=True
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_failures_say_what_is_wrong(project: Path, options: tuple[str, ...]) -> None:
    said = run(project, TRAINING + CASES, *options)
    assert re.search(r"3 failed, 5 passed", said), said
    assert "E       AssertionError: SICK after 40 steps: vanishing gradient, because of the activation" in said
    assert "E       AssertionError: UNSEEN: no training was observed" in said
    assert "RuntimeError: of the test's own" in said
    assert "pytest_plugin.py" not in said  # the traceback ends at the line of the test
    records = re.findall(r"E       next: trimtab report (\S+\.db)", said)
    assert len(records) == 2 and all(Path(record).exists() for record in records)


def test_pytest_starts_without_torch_and_without_trimtab(project: Path) -> None:
    code = """
import sys
def test_it(request):
    assert request.config.pluginmanager.get_plugin("trimtab").__name__ == "trimtab.integrations.pytest_plugin"
    assert not {"torch", "numpy", "rich", "trimtab.pipeline", "trimtab.watching"} & set(sys.modules)
"""
    assert "1 passed" in run(project, code)
