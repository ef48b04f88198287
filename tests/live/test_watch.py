"""`trimtab watch` shows a run that another process trains, until it ends or is killed, and does not touch it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Terminal, environment, training, write

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX terminals and signals")

TRAINS = """
import os, time
import torch
torch.manual_seed(0)
layers = [torch.nn.Sequential(torch.nn.Linear(20, 20), torch.nn.Sigmoid()) for _ in range(8)]
model = torch.nn.Sequential(*layers, torch.nn.Linear(20, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
step = 0
while step < 60 or not os.path.exists("enough"):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(torch.randn(32, 20)), torch.randint(0, 3, (32,))).backward()
    optimizer.step()
    step += 1
    time.sleep(0.01)
print("end of the script")
"""
Open = Callable[..., Terminal]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training under trimtab that goes on until there is a file `enough`."""
    (tmp_path / "train.py").write_text(TRAINS)
    words = [sys.executable, "-m", "trimtab", "run", "--quiet", "--record", "run.db", "train.py"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run.db").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield process
    process.kill()
    process.communicate()


def _watch(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trimtab", "watch", *words]
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)


def _line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


def test_a_run_is_watched_to_its_end(tmp_path: Path, run: subprocess.Popen[str]) -> None:
    watch = _watch(tmp_path, "run.db")
    assert "sick  TT301 vanishing-gradient" in _line_with(watch, "TT301")
    (tmp_path / "enough").touch()
    rest = watch.communicate(timeout=60)[0].splitlines()
    assert rest[-2].endswith("  ended") and "\x1b" not in "".join(rest)
    assert rest[-1] == "next: trimtab diagnose run.db"
    assert watch.returncode == 0
    assert run.communicate(timeout=60)[0] == "end of the script\n" and run.returncode == 0


def test_ctrl_c_leaves_the_run_alone(tmp_path: Path, run: subprocess.Popen[str]) -> None:
    watch = _watch(tmp_path, "run.db")
    _line_with(watch, "step ")
    watch.send_signal(signal.SIGINT)
    assert watch.communicate(timeout=60)[0].splitlines()[-1] == "next: trimtab diagnose run.db"
    assert watch.returncode == 0
    assert run.poll() is None


def test_a_killed_run_is_said_to_be_killed(tmp_path: Path, run: subprocess.Popen[str]) -> None:
    watch = _watch(tmp_path, "run.db")
    _line_with(watch, "step ")
    run.kill()
    run.wait()
    assert "the run was killed" in watch.communicate(timeout=60)[0]
    assert watch.returncode == 0


def test_on_a_terminal_the_last_view_stays(tmp_path: Path, terminal: Open) -> None:
    (tmp_path / ".trimtab").mkdir()
    write(tmp_path / ".trimtab" / "train-1.db", training()).close()
    opened = terminal("-m", "trimtab", "watch")
    assert opened.wait() == 0
    rows = [row for row in opened.rows if row]
    assert rows[0].startswith("── trimtab train.py ─") and rows[0].endswith(" ended")
    assert rows[-2].startswith("SICK      TT301 vanishing-gradient")
    assert rows[-1] == "next: trimtab diagnose .trimtab/train-1.db"
    assert b"\x1b[?1049h" in opened.raw and b"\x1b[?1049l" in opened.raw
    assert not opened.screen.cursor.hidden


def test_without_a_record_it_says_where_one_comes_from(tmp_path: Path) -> None:
    for words in ([], ["missing.db"]):
        done = subprocess.run(
            [sys.executable, "-m", "trimtab", "watch", *words],
            cwd=tmp_path, env=environment(), capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert "`trimtab run script.py` writes one" in done.stderr and done.stderr.count("\n") == 1
