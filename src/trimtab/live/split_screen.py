"""A terminal in two parts: a program's output above, a view below; one writer, so that neither tears the other.

The program's part is a scroll region, so that its lines scroll into the terminal's own history, and its bytes go
through as they are. The view is drawn in one write between two of the program's, never within a sequence of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from trimtab.live.passage import Passage, kept, region

# Modes in which text would not come out as it is: an origin that moves with the region, another character set.
_PLAIN = b"\x1b[?6l\x0f\x1b(B\x1b[0m"
_TOGETHER, _SHOWN = b"\x1b[?2026h", b"\x1b[?2026l"  # a terminal that knows these shows what is between at once


class SplitScreen:
    """The terminal behind a descriptor, from `open` to `close`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._view: list[str] = []
        self._opened = False
        self._columns, self._rows = os.get_terminal_size(descriptor)
        self._passage = Passage(self._rows - rows_of_view(self._rows, self._columns), self._columns)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that the program has."""
        return (self._rows if self._passage.whole else self._passage.rows), self._columns

    @property
    def view_size(self) -> tuple[int, int]:
        """Rows and columns of the view; 0 rows where the terminal is too small for both."""
        return self._rows - self._passage.rows, self._columns

    def open(self) -> None:
        """Divide the screen below the cursor."""
        self._opened = True
        self._write(self._division())

    def close(self) -> None:
        """One screen again, with nothing left of the view; the cursor is where the program left it."""
        if self._opened:
            self._opened = False
            self._write(self._passage.rest() + (b"" if self._passage.whole else self._union()))

    def resize(self) -> None:
        """Take the terminal's new size; terminals forget a region when they are resized."""
        self._columns, self._rows = os.get_terminal_size(self._descriptor)
        self._passage.rows = self._rows - rows_of_view(self._rows, self._columns)
        self._passage.column.width = self._columns
        if self._opened and not self._passage.whole:
            self._write(self._division())

    def write(self, data: bytes) -> bool:
        """Bytes of the program; True when it has taken the whole screen or given it back, which changes its size."""
        before = whole = self._passage.whole
        out = bytearray()
        for piece in self._passage.feed(data):
            if self._passage.whole and not whole:
                out += self._union()
            out += piece
            if whole and not self._passage.whole:
                out += self._division()
            whole = self._passage.whole
        if self._passage.erased and self._passage.safe:
            out += self._drawn()
        self._write(bytes(out))
        return before != whole

    def draw(self, view: Sequence[str]) -> None:
        """Show these lines, each no wider than the terminal, as soon as nothing stands against it."""
        self._view = list(view)
        self._passage.erased = True
        if self._opened and self._passage.safe:
            self._write(self._drawn())

    def _drawn(self) -> bytes:
        self._passage.erased = False
        rows = range(self._passage.rows + 1, self._rows + 1)
        lines = [*self._view, *[""] * len(rows)]
        # Wiped first: behind a line that fills its row, terminals still stand on its last character.
        text = "".join(f"\x1b[{row};1H\x1b[0m\x1b[2K{line}" for row, line in zip(rows, lines, strict=False))
        return _TOGETHER + kept(_PLAIN + text.encode(errors="replace")) + _SHOWN if rows else b""

    def _division(self) -> bytes:
        """Room below the cursor, what was there wiped away, and the region above it."""
        below = self._rows - self._passage.rows
        # Index (ESC D) goes down in the same column, where the terminal would take a line feed back to the first.
        room = b"\x1bD" * below + b"\x1b[%dA" % below if below else b""
        self._passage.erased = True
        return kept(b"\x1b[r") + room + kept(b"\x1b[B\r\x1b[J") + kept(region(self._passage.rows))

    def _union(self) -> bytes:
        """The view wiped away, and no region any more."""
        wiped = b"\x1b[%d;1H\x1b[J" % (self._passage.rows + 1) if self._passage.rows < self._rows else b""
        return kept(_PLAIN + wiped + b"\x1b[r")

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


def rows_of_view(rows: int, columns: int) -> int:
    """How many rows of a terminal the view takes: a third, and none where too little would be left for either."""
    return 0 if rows < 16 or columns < 40 else min(rows // 3, 20)
