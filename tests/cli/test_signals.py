"""Ctrl-C and SIGTERM end a program under trimtab as they end it under python, and what was seen is reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

WAITS = """
import atexit, signal, sys, time
atexit.register(print, "atexit")
print(signal.getsignal(signal.SIGINT).__name__)
if "handler" in sys.argv:
    def handler(number, frame):
        print("handled", number)
        sys.exit(11)
    signal.signal(signal.SIGTERM, handler)
if "ignore" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
try:
    print("ready", file=sys.stderr, flush=True)
    time.sleep(2 if "ignore" in sys.argv else 60)
    print("slept")
finally:
    print("finally")
"""


def _signalled(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    time.sleep(0.3)  # let it reach the place at which it waits
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "mode"),
    [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGTERM, "handler"), (signal.SIGTERM, "ignore")],
)
def test_a_signal_ends_the_program_as_under_python(tmp_path: Path, start: Start, number: int, mode: str) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    plain = start("waits.py", mode)
    watched = start("-m", "trimtab", "run", "--quiet", "waits.py", mode)
    expected = _signalled(plain, number)
    assert _signalled(watched, number) == expected
    assert expected[0] == {"": -number, "handler": 11, "ignore": 0}[mode]


def test_a_parent_that_ignores_the_signal_is_respected(tmp_path: Path, start: Start) -> None:
    (tmp_path / "asks.py").write_text("import signal; print(signal.getsignal(signal.SIGTERM))")
    words = ["-m", "trimtab", "run", "--quiet", "asks.py"]
    process = start(*words, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    assert process.communicate(timeout=60)[0] == f"{signal.SIG_IGN}\n"


TRAINS = """
import sys, time
import torch
model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(10**9):
    optimizer.zero_grad()
    model(torch.randn(8, 3)).square().mean().backward()
    optimizer.step()
    if step == 5:
        print("ready", file=sys.stderr, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_seen_until_the_signal_is_reported(tmp_path: Path, start: Start, number: int) -> None:
    (tmp_path / "trains.py").write_text(TRAINS)
    process = start("-m", "trimtab", "run", "--json", "out.json", "--record", "run.db", "trains.py")
    code, out, err = _signalled(process, number)
    assert (code, out) == (-number, "")
    assert "next: trimtab report run.db" in err
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    assert found["steps"] > 5
    assert found["status"] in ("healthy", "sick")


THREAD = """
import sys, threading, time
def work():
    threading.main_thread().join(0.5)  # by then the main thread waits for this one
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
    print("work done")
threading.Thread(target=work).start()
"""


def test_ctrl_c_while_waiting_for_a_thread(tmp_path: Path, start: Start) -> None:
    (tmp_path / "thread.py").write_text(THREAD)
    results = []
    for words in (["thread.py"], ["-m", "trimtab", "run", "--quiet", "thread.py"]):
        code, out, err = _signalled(start(*words), signal.SIGINT)
        results.append((code, out, err.splitlines()[0], err.splitlines()[-1].rstrip(": ")))
    assert results[0] == results[1]
