"""Signals while a program runs beside us: those that are meant for it are passed on, and all wake the loop."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

_MEANT_FOR_IT = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_OURS = (signal.SIGWINCH, signal.SIGCHLD, signal.SIGTSTP, signal.SIGCONT)


@contextlib.contextmanager
def heard(wakes: int, pass_on: Callable[[int], None]) -> Iterator[None]:
    """Numbers of signals are written as bytes to the descriptor `wakes`; what a parent ignores stays ignored."""

    def forward(number: int, frame: object) -> None:
        pass_on(number)

    before = {number: signal.getsignal(number) for number in (*_MEANT_FOR_IT, *_OURS)}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    descriptor = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, forward if number in _MEANT_FOR_IT else _note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)


def _note(number: int, frame: object) -> None:
    """The number has been written already."""
