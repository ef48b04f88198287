"""What a record says at a moment: trace, diagnosis, and whether the run still goes."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from trimtab.core.errors import TrimtabError
from trimtab.core.trace import Scalar, Trace
from trimtab.live.presence import has_writer
from trimtab.pipeline import diagnose
from trimtab.record import read
from trimtab.report.display import DisplayedDiagnosis

State = Literal["running", "killed", "ended"]
Signature = tuple[tuple[int, int], ...]
Judge = Callable[[Trace], DisplayedDiagnosis]

# POSIX drops a process's locks on a file when any of its descriptors for it is closed: what one thread has closed
# would take the lock under which another reads.
_one_reader = threading.Lock()
PAUSE = 1.0
_SHARE = 20.0  # looking takes a twentieth of one core at most: the run needs the rest
_CERTAIN_AFTER = 3.0  # seconds without a writer and without a word: it may be about to say how it ended


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run as its record shows it; `seconds` is how long it has been going, None where that cannot be told."""

    trace: Trace
    diagnosis: DisplayedDiagnosis
    state: State
    seconds: float | None


def signature(path: str) -> Signature:
    """What changes whenever something is written to the record: time and size of the file and of its side file."""
    return tuple(_stamp(f"{path}{suffix}") for suffix in ("", "-wal"))


def snapshot(path: str, judge: Judge = diagnose) -> Snapshot:
    """The record as it is now, under the rules by which `judge` diagnoses; raises TrimtabError for no record."""
    with _one_reader:
        trace = read(path)
        state = _state(path, trace)
    seconds = None if state != "running" else _since(trace.meta.get("started"), time.time())
    return Snapshot(trace, judge(trace), state, seconds)


class Follower:
    """Reads a record anew when something was written to it, and is content with a look at the file otherwise."""

    def __init__(self, path: str, judge: Judge = diagnose) -> None:
        self.path = path
        self._judge = judge
        self._seen: Signature | None = None
        self._settled = False
        self.pause = PAUSE  # seconds to let pass before the next call

    def news(self) -> Snapshot | None:
        """The run as it is now, or None where it is as it was at the last call.

        Raises TrimtabError where the file holds something that will never be a record of this trimtab.
        """
        found = signature(self.path)
        if found == self._seen and (self._settled or not self._is_abandoned()):
            return None
        if not found[0][1] and os.path.isfile(self.path):
            return None  # claimed by a run that has not imported torch yet
        began, first = time.monotonic(), self._seen is None
        now = snapshot(self.path, self._judge)
        if not first:  # which counts for nothing: it loads the rules
            self.pause = max(PAUSE, _SHARE * (time.monotonic() - began))
            now = now if now.seconds is not None else _ended_now(now, self.path)
        self._seen, self._settled = found, now.state != "running"
        return now

    def _is_abandoned(self) -> bool:
        with _one_reader:
            return _is_abandoned(self.path)


def newest(folder: str) -> str:
    """The record in `folder` that was written to last; raises TrimtabError where there is none."""
    try:
        found = [entry.path for entry in os.scandir(folder) if entry.name.endswith(".db") and entry.is_file()]
    except OSError:
        found = []
    if not found:
        raise TrimtabError(f"no record in {folder}; `trimtab run script.py` writes one, or name a RECORD")
    return max(found, key=lambda path: max(signature(path)))


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _state(path: str, trace: Trace) -> State:
    if trace.meta.get("ended") is not None:
        return "ended"
    return "killed" if _is_abandoned(path) else "running"


def _ended_now(run: Snapshot, path: str) -> Snapshot:
    """A run that was followed to its end lasted until its record was last written to."""
    ended = max(stamp for stamp, _ in signature(path)) / 1e9
    return replace(run, seconds=_since(run.trace.meta.get("started"), ended))


def _is_abandoned(path: str) -> bool:
    """Nobody has it open, and has not had for a while."""
    try:
        quiet = time.time() - max(stamp for stamp, _ in signature(path)) / 1e9
        return has_writer(path) is False and abs(quiet) > _CERTAIN_AFTER
    except OSError:
        return False


def _since(started: Scalar, until: float) -> float | None:
    try:
        begun = datetime.datetime.strptime(str(started), "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return None
    return max(0.0, until - begun)
