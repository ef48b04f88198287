"""The view of a record as lines with colours, ready to be written to a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from trimtab.core.errors import TrimtabError
from trimtab.live.following import PAUSE, Follower, Judge, Snapshot, signature
from trimtab.live.view import lines, waiting
from trimtab.pipeline import diagnose
from trimtab.report.names import clean


class Panel:
    """Follows the record that a run is about to make. `look` and `lines` may be called by different threads."""

    def __init__(self, record: str, script: str, judge: Judge = diagnose, *, ascii_only: bool = False) -> None:
        self._follower = Follower(record, judge)
        self._before = signature(record)  # of an older record that the run will replace
        self._script = script
        self._ascii_only = ascii_only
        self._last: Snapshot | None = None
        self._trouble = ""

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return PAUSE if self._trouble else self._follower.pause

    def look(self) -> bool:
        """Read what was written since; whether that changes the view."""
        if self._before == signature(self._follower.path):
            return False
        try:
            news = self._follower.news()
        except TrimtabError as error:
            changed, self._trouble = self._trouble != str(error), str(error)
            return changed
        self._last, self._trouble = news or self._last, ""
        return news is not None

    def lines(self, rows: int, columns: int) -> list[str]:
        """The view on so many rows and columns."""
        if self._last is None:
            why = self._trouble or "nothing recorded yet: that begins when the script imports torch"
            shown = waiting(self._script, clean(why), columns, rows, ascii_only=self._ascii_only)
        else:
            shown = lines(self._last, columns, rows, ascii_only=self._ascii_only)
        console = Console(file=io.StringIO(), width=columns, force_terminal=True, highlight=False, legacy_windows=False)
        found: list[str] = []
        for line in shown:
            with console.capture() as captured:
                console.print(line, end="", no_wrap=True, crop=False)
            found.append(captured.get())
        return found
