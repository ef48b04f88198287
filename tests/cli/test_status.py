"""The status line takes no place on the screen, and there is none without a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.cli.status import describe

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX terminals")

TRAINS = """
import sys, time
import torch
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(8):
    model(torch.ones(2, 3)).square().mean().backward()
    optimizer.step()
    print("half a line", end="", flush=True)
    time.sleep(0.4)
    print(" and the rest", file=sys.stderr)
"""
TITLE = re.compile(r"\x1b\[22;2t|\x1b\[23;2t|\x1b\]2;[^\x07]*\x07")


def _on_a_terminal(start: Callable[..., subprocess.Popen[str]], *words: str) -> str:
    import fcntl
    import termios

    ours, theirs = os.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = start(*words, env={"TERM": "xterm"}, preexec_fn=take_terminal, **streams)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while part := os.read(ours, 65536):
            shown += part
    process.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def test_only_the_title_of_the_terminal_changes(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    (tmp_path / "train.py").write_text(TRAINS)
    plain = _on_a_terminal(start, "train.py")
    watched = _on_a_terminal(start, "-m", "trimtab", "run", "train.py")
    titles = TITLE.findall(watched)
    assert titles[0] == "\x1b[22;2t"
    assert titles[-1] == "\x1b[23;2t"
    assert re.search(r"\x1b]2;trimtab: step [1-8], loss [0-9.e-]+\x07", watched)
    assert TITLE.sub("", watched).startswith(plain)
    quiet = _on_a_terminal(start, "-m", "trimtab", "run", "--quiet", "train.py")
    assert quiet == plain


def test_the_line_in_words() -> None:
    assert describe(0, None) == "trimtab: step 0"
    assert describe(1200, 0.123456) == "trimtab: step 1200, loss 0.1235"
