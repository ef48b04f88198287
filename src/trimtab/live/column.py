"""In which column a program's cursor stands, to know when it stands beyond the last.

There a terminal waits for the next character before it wraps, and not all of them save this with the cursor (tmux does
not): a view that is drawn in this moment would cost a character.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_JUMPS = re.compile(r"([\t\x08])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


class Column:
    """The column, from 0, on lines of `width`; `width` itself is the place beyond the last."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._at = 0

    @property
    def beyond(self) -> bool:
        """Whether the next character will stand on the next line."""
        return self._at >= self.width

    def print(self, data: bytes) -> None:
        """Follow text, with the line ends and tabs in it."""
        start = max(data.rfind(b"\r"), data.rfind(b"\n")) + 1
        if start:
            self._at = 0
        for part in _JUMPS.split(data[start:].decode("utf-8", "replace")):
            if part == "\t":
                self.move_to((self._at // 8 + 1) * 8)
            elif part == "\x08":
                self.move(-1)
            else:
                self._type(_UNSEEN.sub("", part))

    def move(self, by: int) -> None:
        """Follow a move to the side, which ends at the edge."""
        self.move_to(min(self._at, self.width - 1) + by)

    def move_to(self, column: int) -> None:
        """Follow a jump within the line."""
        self._at = min(max(column, 0), self.width - 1)

    def _type(self, text: str) -> None:
        cells = cell_len(text)
        if self._at + cells <= self.width:
            self._at += cells
            return
        for character in text[-4 * self.width :]:
            cells = cell_len(character)
            self._at = cells if self._at + cells > self.width else self._at + cells
