"""A small process that outlives a killed one to give the terminal back: run as a script, it knows nothing of trimtab.

Its stdin is a pipe from the process that holds the terminal. Where the pipe ends without a word, that one was killed.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
import termios


def main(terminal: str, held: str, before: str) -> None:
    """Wait for the end of stdin; then undo the scroll region, and the mode unless a shell has set its own since."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    if os.read(0, 1):
        return
    descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    if termios.tcgetattr(descriptor) == ast.literal_eval(held):
        termios.tcsetattr(descriptor, termios.TCSADRAIN, ast.literal_eval(before))
    os.write(descriptor, b"\x1b7\x1b[r\x1b8\x1b[J")


if __name__ == "__main__":
    main(*sys.argv[1:])
