"""The mode of a terminal whose keys go through to another: neither echoed nor edited nor turned into signals here."""

from __future__ import annotations

import termios
from typing import Any

Mode = list[Any]  # as termios has it


def passing(mode: Mode) -> Mode:
    """The mode with input untouched; output stays as it is, for jobs in the background that write here as well."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = mode
    iflag &= ~(termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP | termios.IXON)
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    single = list(characters)
    single[termios.VMIN], single[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, single]


def suspending(mode: Mode) -> bytes:
    """The key that stops a program on a terminal of this mode; empty where it has no such meaning."""
    return mode[6][termios.VSUSP].strip(b"\0") if mode[3] & termios.ISIG else b""
