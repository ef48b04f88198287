"""Runs to look at: made by hand, and trained by another process that a real terminal shows."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyte
import pytest

from trimtab.core.signal import DELTA_NORM, LEARNING_RATE, LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.record import Writer

SOURCE = Path(__file__).parents[2] / "src"
STARTED = "2026-11-22T18:00:00+0000"


def environment(**extra: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "COV"))}
    own = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    return {**kept, **own, **extra}


def training(layers: int = 6, steps: int = 60, name: str = "net.{}", ended: str | None = "end") -> Trace:
    """A run whose gradient shrinks by a decade a layer, so that TT301 is found."""
    at, depth = np.arange(steps), np.arange(layers)
    names = [name.format(i) for i in depth]
    return synthetic_trace(
        {
            "loss": [Site("loss", "train.py:57", {"line": "train.py:57"})],
            "optimizer": ["SGD"],
            "layer": [Site("layer", n, {"op": "linear", "order": i, "depth": i}) for i, n in enumerate(names)],
        },
        {
            LOSS: 2.3 * np.exp(-at / steps),
            LEARNING_RATE: np.full(steps, 0.01),
            DELTA_NORM: np.tile(10.0 ** (depth - layers), (steps, 1)),
        },
        steps=steps,
        meta={"script": "train.py", "started": STARTED, "ended": ended},
    )


def write(path: Path, trace: Trace) -> Writer:
    """A record with what the trace has; its writer, still open."""
    writer = Writer(path, trace.meta)
    for kind, sites in trace.sites.items():
        writer.add_sites(kind, sites)
    extend(writer, trace)
    return writer


def extend(writer: Writer, trace: Trace, start: int = 0) -> None:
    """What a run has measured from a step on."""
    for signal_of in (LOSS, LEARNING_RATE, DELTA_NORM):
        for step, values in zip(trace.at(signal_of), trace[signal_of], strict=True):
            if step >= start:
                writer.add(int(step), signal_of, values)
    writer.set_steps(trace.steps)
    writer.commit()


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The record of a run that has ended."""
    write(tmp_path / "run.db", training()).close()
    return tmp_path / "run.db"


class Terminal:
    """A real terminal (a pty) in which a command runs, and what a user would see on it."""

    def __init__(
        self, words: list[str], folder: Path, rows: int, columns: int, env: Mapping[str, str], **streams: object
    ):
        import fcntl
        import termios

        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._ours, self.theirs = os.openpty()
        self.resize(rows, columns)

        def take_terminal() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)

        given = {**dict.fromkeys(("stdin", "stdout", "stderr"), self.theirs), **streams}
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=environment(**env),
            start_new_session=True,
            preexec_fn=take_terminal,
            **given,  # type: ignore[call-overload]
        )

    def resize(self, rows: int, columns: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def listen(self, seconds: float = 0.1) -> None:
        while select.select([self._ours], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._ours, 65536)
                self.raw += data
                self._stream.feed(data)
                continue
            return

    def until(self, seen: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, "\n".join(self.rows)
            self.listen()

    def until_shows(self, text: str) -> None:
        self.until(lambda: any(text in row for row in self.rows))

    def wait(self) -> int:
        self.until(lambda: self.process.poll() is not None)
        self.listen()
        return self.process.returncode

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    @property
    def history(self) -> list[str]:
        """What has scrolled off the screen, and what is on it."""
        off = ["".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in self.screen.history.top]
        return off + self.rows

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._ours, self.theirs):
            os.close(descriptor)


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens a terminal of 24 rows and 80 columns with `python *words` in it."""
    opened: list[Terminal] = []

    def open_terminal(*words: str, rows: int = 24, columns: int = 80, **options: object) -> Terminal:
        env = options.pop("env", {})
        opened.append(Terminal(list(words), tmp_path, rows, columns, env, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()
