"""A program in the upper part of a terminal, on a pty of its own, and a view of its record in the lower part."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from trimtab.live import guardian
from trimtab.live.child import start, tell_size
from trimtab.live.signals import heard
from trimtab.live.split_screen import SplitScreen
from trimtab.live.terminal_mode import passing, suspending

_TICK = 0.5
_LAST_SECONDS = 2.0
_MOST = 1 << 16


class View(Protocol):
    """What is shown in the lower part."""

    @property
    def pause(self) -> float: ...
    def look(self) -> bool: ...
    def lines(self, rows: int, columns: int) -> list[str]: ...


def run_beside(words: Sequence[str], terminal: str, view: View) -> int:
    """Run a command on the terminal of this name; gives its exit code, or minus the signal that ended it.

    Keys, signals and sizes reach it as if it had the terminal for itself. Of its streams only those that are this
    terminal go through us. The terminal is as it was afterwards, whatever happens meanwhile.
    """
    with contextlib.ExitStack() as stack:
        descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
        stack.callback(os.close, descriptor)
        beside = _Beside(words, terminal, descriptor, view)
        stack.callback(beside.close)
        return beside.run()


class _Beside:
    """The loop between terminal and pty."""

    def __init__(self, words: Sequence[str], name: str, terminal: int, view: View) -> None:
        self._name, self._terminal, self._view = name, terminal, view
        self._before = termios.tcgetattr(terminal)
        self._screen = SplitScreen(terminal)
        self._pty, self._child = start(words, terminal, self._screen.size)
        self._typed = b""
        self._hung_up = False
        self._over = threading.Event()
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)

    def run(self) -> int:
        """Until the program ends."""
        guard, looker = None, threading.Thread(target=self._look, name="trimtab-view", daemon=True)
        with heard(self._wakes, self._child.send_signal):
            try:
                self._take()
                guard = _guard(self._name, termios.tcgetattr(self._terminal), self._before)
                looker.start()
                self._attend()
            finally:
                self._over.set()
                self._give_back()
                if guard is not None:
                    guard.communicate(b".")
                if looker.is_alive():
                    looker.join()
        return self._child.wait()

    def _attend(self) -> None:
        try:
            while self._child.poll() is None:
                self._turn()
            self._drain()
        except OSError:  # the terminal is gone: so is the program's, which says so to the program
            os.close(self._pty)
            self._pty = -1

    def close(self) -> None:
        """Let go of the descriptors."""
        for descriptor in (self._pty, self._woken, self._wakes):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _turn(self) -> None:
        """Wait for whatever comes next and deal with it."""
        listened = [self._woken, *([self._terminal] if len(self._typed) < _MOST else [])]
        # A program may close its terminal and go on, or open it again: it is asked anew after a while.
        listened += [] if self._hung_up else [self._pty]
        self._hung_up = False
        readable, writable, _ = select.select(listened, [self._pty] if self._typed else [], [], _TICK)
        if self._woken in readable:
            self._wake(os.read(self._woken, _MOST))
        if self._pty in readable:
            self._pass_output()
        if self._terminal in readable:
            self._pass_keys()
        if self._pty in writable:
            with contextlib.suppress(BlockingIOError):
                self._typed = self._typed[os.write(self._pty, self._typed) :]

    def _wake(self, numbers: bytes) -> None:
        """Signals by their numbers; 0 says that the view has changed."""
        if signal.SIGTSTP in numbers:
            self._suspend()
        if signal.SIGCONT in numbers:
            self._take()
        if signal.SIGWINCH in numbers:
            self._screen.resize()
            tell_size(self._pty, self._screen.size)
        if {0, signal.SIGCONT, signal.SIGWINCH} & set(numbers):
            self._screen.draw(self._view.lines(*self._screen.view_size))

    def _pass_output(self) -> bool:
        try:
            data = os.read(self._pty, _MOST)
        except BlockingIOError:
            return False
        except OSError:  # how Linux says that nobody has the other end open
            data = b""
        self._hung_up = not data
        if data and self._screen.write(data):
            tell_size(self._pty, self._screen.size)
        return bool(data)

    def _pass_keys(self) -> None:
        keys = os.read(self._terminal, _MOST)
        if not keys:
            raise OSError("the terminal is gone")
        stop = suspending(termios.tcgetattr(self._pty))
        self._typed += keys.replace(stop, b"") if stop else keys
        if stop and stop in keys:
            self._suspend()

    def _drain(self) -> None:
        """What the program wrote before it ended; a child that it left behind may have the terminal, and go on."""
        until = time.monotonic() + _LAST_SECONDS
        while time.monotonic() < until and select.select([self._pty], [], [], _TICK / 2)[0] and self._pass_output():
            pass

    def _suspend(self) -> None:
        """Stop the program and ourselves, as Ctrl-Z does; its session has no shell that could stop or wake it."""
        theirs = os.tcgetpgrp(self._pty)
        self._give_back()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(theirs, signal.SIGSTOP)
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)  # whoever continues us brings us behind this line
        signal.signal(signal.SIGTSTP, handler)
        self._take()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(theirs, signal.SIGCONT)

    def _take(self) -> None:
        termios.tcsetattr(self._terminal, termios.TCSADRAIN, passing(self._before))
        self._screen.open()
        self._screen.draw(self._view.lines(*self._screen.view_size))

    def _give_back(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            self._screen.close()
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)

    def _look(self) -> None:
        """In a thread, for a diagnosis takes longer than output may wait."""
        while not self._over.wait(self._view.pause):
            if self._view.look():
                with contextlib.suppress(BlockingIOError):
                    os.write(self._wakes, b"\0")


def _guard(terminal: str, held: object, before: object) -> subprocess.Popen[bytes]:
    """A process that gives the terminal back when this one is killed."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, terminal, repr(held), repr(before)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
