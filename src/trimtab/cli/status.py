"""One quiet line while training: the title of the terminal, which takes no place among the program's output.

A line on the screen cannot be had safely. Program and status share one cursor; the program's streams are not ours to
wrap, and a line drawn between two of its writes (a progress bar, a prompt, half a line) would be torn or scrolled into
its output. A scroll region would stay behind after `kill -9`. A title can be written at any moment in a single write.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

_SECONDS = 0.5
# Window title: save it, set it, bring it back. Terminals that cannot save titles ignore the first and the last.
_SAVE, _SET, _RESTORE = "\x1b[22;2t", "\x1b]2;{}\x07", "\x1b[23;2t"


class StatusLine:
    """Shows step and loss of a watcher in the title of the terminal behind stderr, where there is one."""

    def __init__(self, watcher: Any) -> None:
        self._watcher = watcher
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="trimtab-status", daemon=True)
        if _has_title():
            self._thread.start()

    def stop(self) -> None:
        """End the line; the title is as it was."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _keep(self) -> None:
        drawn = ""
        while not self._over.wait(_SECONDS):
            text = describe(self._watcher.steps, self._watcher.loss)
            if text != drawn and _has_title():
                _put(_SET.format(text) if drawn else _SAVE + _SET.format(text))
                drawn = text
        if drawn and _has_title():
            _put(_RESTORE)


def describe(steps: int, loss: float | None) -> str:
    """The line: steps so far, and the loss as far as it is known."""
    return f"trimtab: step {steps}" + ("" if loss is None else f", loss {loss:.4g}")


def _has_title() -> bool:
    """Whether stderr is a terminal with a title, and ours at this moment: a program in the background draws nothing."""
    if os.name == "nt" or os.environ.get("TERM", "dumb") in ("dumb", "linux"):
        return False
    try:
        return os.isatty(2) and os.tcgetpgrp(2) == os.getpgrp()
    except OSError:
        return False


def _put(sequence: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, sequence.encode())
