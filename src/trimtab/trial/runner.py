"""Starts child runs, side by side, and ends them when time is up or somebody interrupts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

GRACE_SECONDS = 5.0  # between the request to end and the end


class Runner:
    """A context in which `run` can be called from several threads. Its exit ends what still runs.

    `threads` is how many torch uses in a run, unless OMP_NUM_THREADS says it.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = {"OMP_NUM_THREADS": str(threads)}
        self._nursery = _Nursery({**self._threads, **os.environ}) if hasattr(os, "fork") else None
        self._alive: set[_Child] = set()
        self._lock = threading.Lock()
        self._over = False

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._nursery is not None:
            self._nursery.close()

    def run(
        self, words: Sequence[str], folder: Path, env: Mapping[str, str], out: Path, limit: float | None
    ) -> int | None:
        """Run `trimtab run *words` in a folder, what it prints into `out`; its exit code, None if it was stopped."""
        with self._lock:
            if self._over:
                return None
            start = _spawn if self._nursery is None else self._nursery.start
            child = start(words, folder, {**self._threads, **env}, out)
            self._alive.add(child)
        try:
            code = child.wait(limit)
            if code is None:
                child.end(signal.SIGTERM)
                if child.wait(GRACE_SECONDS) is None:
                    child.end(getattr(signal, "SIGKILL", signal.SIGTERM))
                    child.wait(GRACE_SECONDS)
            return code
        finally:
            self._alive.discard(child)

    def stop(self) -> None:
        """End all runs; those that wait to begin do not."""
        with self._lock:
            self._over = True
            for child in list(self._alive):
                child.end(getattr(signal, "SIGKILL", signal.SIGTERM))


class _Child:
    """A run that has begun."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self._begun, self._ended = threading.Event(), threading.Event()
        self._code: int | None = None

    def has_begun(self, pid: int) -> None:
        self.pid = pid
        self._begun.set()

    def has_ended(self, code: int) -> None:
        self._code = code
        self._begun.set()
        self._ended.set()

    def wait(self, limit: float | None) -> int | None:
        """The exit code, or None where the time was up first."""
        return self._code if self._ended.wait(limit) else None

    def end(self, number: int) -> None:
        """Send a signal to the run and to all that it has started."""
        self._begun.wait(GRACE_SECONDS)
        if self.pid is not None and not self._ended.is_set():
            with contextlib.suppress(OSError):
                os.killpg(self.pid, number)


class _Spawned(_Child):
    """A run in a process of its own making, where there is no fork."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self._process = process

    def wait(self, limit: float | None) -> int | None:
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            return None

    def end(self, number: int) -> None:
        self._process.send_signal(number)


def _spawn(words: Sequence[str], folder: Path, env: Mapping[str, str], out: Path) -> _Child:
    with out.open("wb") as file:
        command = [sys.executable, "-m", "trimtab", "run", *words]
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    return _Spawned(process)


class _Nursery:
    """The process of `trimtab.cli.nursery`, and the thread that hears what it says."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trimtab.cli.nursery"],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._children: dict[int, _Child] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def start(self, words: Sequence[str], folder: Path, env: Mapping[str, str], out: Path) -> _Child:
        child, number = _Child(), len(self._children)
        self._children[number] = child
        job = {"number": number, "words": list(words), "folder": str(folder), "env": dict(env), "out": str(out)}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            child.has_ended(1)
        return child

    def close(self) -> None:
        """End the process; it goes when its stdin is closed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(GRACE_SECONDS)
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            child = self._children[said["number"]]
            if "pid" in said:
                child.has_begun(said["pid"])
            else:
                child.has_ended(said["code"])
        for child in self._children.values():  # the nursery is gone, and with it whoever would tell of the ends
            child.has_ended(1)
