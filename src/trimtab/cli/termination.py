"""SIGTERM: the last words are said, then the process dies of the signal as it would have without us."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_RETRY_SECONDS = 0.02


class Termination:
    """A handler for SIGTERM that stands only where nobody, parent or program, has decided otherwise.

    It reports from within the handler: an exception would run the program's `finally` blocks and atexit functions,
    which python's own way of dying does not.
    """

    def __init__(self, last_words: Callable[[], object]) -> None:
        self._last_words = last_words
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._handle)
            self._masks = threading.local()
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._let_child_go)

    def lift(self) -> None:
        """Give the signal its default back, unless the program has a handler of its own by now."""
        if signal.getsignal(signal.SIGTERM) == self._handle:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _hold(self) -> None:
        # A child is on its own only once its handler is gone. A signal that came before would be dropped by python,
        # and a parent that has just terminated its child would wait for it for ever.
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _let_go(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _let_child_go(self) -> None:
        self.lift()
        self._let_go()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if _is_busy(frame):
            # The watcher may hold a lock that the last words need: let it finish and come back.
            threading.Timer(_RETRY_SECONDS, os.kill, (os.getpid(), number)).start()
            return
        # Whoever cannot wait for the report sends the signal twice.
        signal.signal(number, signal.SIG_DFL)
        try:
            self._last_words()
        finally:
            os.kill(os.getpid(), number)


def _is_busy(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(("trimtab.watching", "trimtab.record")):
            return True
        frame = frame.f_back
    return False
