"""The records of a folder, with what a list says of each; a record is read anew only when it was written to."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Status
from trimtab.live.following import Follower, Judge, Snapshot, State, signature
from trimtab.pipeline import diagnose
from trimtab.report.document import fold
from trimtab.report.names import clean

MOST = 100  # runs of a list: the first look at each takes a few hundredths of a second


@dataclass(frozen=True, slots=True)
class Entry:
    """A run in the list; `version` grows when its record is written to. Texts are as the record has them."""

    name: str
    version: int = 0
    script: str = ""
    started: str = ""
    steps: int = 0
    state: State = "running"
    status: Status = "unseen"
    lead: str = ""
    trouble: str = ""


class Runs:
    """The records `*.db` directly in a folder, or one of them alone; links are no records. Safe for several threads."""

    def __init__(self, folder: str, only: str | None = None, judge: Judge = diagnose) -> None:
        self.folder = os.path.realpath(folder)
        self.judge = judge
        self._only = only
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._followers: dict[str, Follower] = {}
        self._due: dict[str, float] = {}

    def names(self) -> list[str]:
        """Names of the records, the one that was last written to first."""
        try:
            with os.scandir(self.folder) as found:
                names = [entry.name for entry in found if self._belongs(entry)]
        except OSError:
            return []
        return sorted(names, key=lambda name: max(signature(self._join(name))), reverse=True)

    def path(self, name: str) -> str | None:
        """Where the record of this name lies; None for a name that is not in the list, whatever it says."""
        return self._join(name) if name in self.names() else None

    def entry(self, name: str) -> Entry:
        """What the list says of one of `names`."""
        with self._lock:
            follower = self._followers.setdefault(name, Follower(self._join(name), self.judge))
            known = self._entries.setdefault(name, Entry(name))
            if time.monotonic() < self._due.get(name, 0.0):
                return known
            try:
                news = follower.news()
                if news is not None:
                    self._entries[name] = _entry(name, known.version + 1, news)
            except TrimtabError as error:
                self._entries[name] = Entry(name, known.version, trouble=clean(str(error)))
            self._due[name] = time.monotonic() + follower.pause
            return self._entries[name]

    def _belongs(self, entry: os.DirEntry[str]) -> bool:
        wanted = entry.name == self._only if self._only else entry.name.endswith(".db")
        return wanted and entry.is_file(follow_symlinks=False)

    def _join(self, name: str) -> str:
        return os.path.join(self.folder, name)


def _entry(name: str, version: int, run: Snapshot) -> Entry:
    leads = [f"{root.code} {root.name}" for root, _ in fold(run.diagnosis)]
    return Entry(
        name,
        version,
        script=run.diagnosis.script or "",
        started=str(run.trace.meta.get("started") or ""),
        steps=run.trace.steps,
        state=run.state,
        status=run.diagnosis.status,
        lead=leads[0] + (f" and {len(leads) - 1} more" if len(leads) > 1 else "") if leads else "",
    )
