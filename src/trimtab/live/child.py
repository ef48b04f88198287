"""A command on a pty: the leader of a session of its own, whose terminal the pty is."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Sequence


def start(words: Sequence[str], terminal: int, size: tuple[int, int]) -> tuple[int, subprocess.Popen[bytes]]:
    """Begin a command; gives our end of its pty and the process.

    Those of its standard streams that are `terminal` lead to the pty, the others where ours lead: what is redirected
    to a file gets the program's bytes and no others.
    """
    ours, theirs = os.openpty()
    termios.tcsetattr(theirs, termios.TCSANOW, termios.tcgetattr(terminal))
    tell_size(ours, size)

    def take_terminal() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    stdin, stdout, stderr = (theirs if _is(stream, terminal) else None for stream in (0, 1, 2))
    process = subprocess.Popen(
        words,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        close_fds=False,  # what a shell has opened for the program is the program's
        start_new_session=True,
        preexec_fn=take_terminal,  # before there is a thread of ours
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    return ours, process


def tell_size(pty: int, size: tuple[int, int]) -> None:
    """Set rows and columns of a pty; its program gets SIGWINCH where they are new."""
    fcntl.ioctl(pty, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))


def _is(stream: int, terminal: int) -> bool:
    try:
        return os.isatty(stream) and os.fstat(stream).st_rdev == os.fstat(terminal).st_rdev
    except OSError:
        return False
