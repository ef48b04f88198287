"""What a program writes to its part of a divided terminal: passed on as it is, but for what would leave the part.

The part is the top of the screen, as a scroll region, and the program was told its size. Sequences that know nothing
of it are held to it: a region of the program's own, a move to a row below, the end of a reset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.live.column import Column

_SEQUENCE = re.compile(
    rb"\x1b(?:\[(?P<params>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    rb"|(?P<string>[\]PX^_])|(?P<plain>[ -/]*[0-OQ-WYZ\\`-~]))"
)
_STRING_END = re.compile(rb"\x07|\x1b\\|[\x18\x1a]")
# An escape sequence or a character of UTF-8 of which the rest is still to come.
_UNFINISHED = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|[ -/]*)|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)
_LONGEST = 64  # of a sequence that is held back
_FULL_SCREENS = {b"47", b"1047", b"1049"}


class Passage:
    """A filter of bytes for a part of so many rows and columns.

    `whole` says that the program has taken the alternate screen, which it has for itself. `erased` says that something
    may have wiped the other part since it was last set to False. `safe` says that the cursor may be saved and brought
    back now: it is in the middle of nothing, and the program has not put its own in the one place that there is for it.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        self.column = Column(columns)
        self.whole = False
        self.erased = False
        self._held = b""
        self._in_string = False
        self._saved = False

    @property
    def safe(self) -> bool:
        """Whether something else may be written now."""
        return not (self._in_string or self._saved or self.whole or self.column.beyond)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the terminal gets of it, in pieces; a change of `whole` is seen with the piece that makes it."""
        data, self._held = self._held + data, b""
        place = 0
        while found := (_STRING_END if self._in_string else _SEQUENCE).search(data, place):
            yield self._text(data[place : found.start()])
            if self._in_string:
                self._in_string = False
                yield found.group()
            else:
                self._in_string = found["string"] is not None
                yield self._within(found)
            place = found.end()
        self._held = self._unfinished(data[place:])
        yield self._text(data[place : len(data) - len(self._held)])

    def rest(self) -> bytes:
        """What was held back, when nothing will follow."""
        held, self._held = self._held, b""
        return held

    def _text(self, data: bytes) -> bytes:
        if data and not self._in_string:
            self.column.print(data)
        return data

    def _unfinished(self, data: bytes) -> bytes:
        if self._in_string:
            return b"\x1b" if data.endswith(b"\x1b") else b""
        tail = _UNFINISHED.search(data, max(0, len(data) - _LONGEST))
        return tail.group() if tail else b""

    def _within(self, found: re.Match[bytes]) -> bytes:
        if found["final"]:
            return self._control(found, found["params"], found["final"] if not found["between"] else b"")
        match found["plain"]:
            case b"7":
                self._saved = True
            case b"8":
                self._saved = False
                self.column.move(0)
            case b"E":
                self.column.move_to(0)
            case b"c":  # everything is reset: the screen, the region, what was saved
                self.erased, self._saved, self.whole = True, False, False
                self.column.move_to(0)
                return found.group() + region(self.rows)
            case b"#8" if not self.whole:
                self.erased = True
                return found.group() + region(self.rows)
            case _:
                pass
        return found.group()

    def _control(self, found: re.Match[bytes], params: bytes, final: bytes) -> bytes:
        if params[:1] == b"?":
            if final in (b"h", b"l") and _FULL_SCREENS & set(params[1:].split(b";")):
                self.whole = final == b"h"
            self.erased |= final == b"J"
            return found.group()
        if self.whole:
            return found.group()
        match final:
            case b"s" if not params:
                self._saved = True
            case b"u" if not params:
                self._saved = False
                self.column.move(0)
            case b"J":
                self.erased = True
            case b"C" | b"a" | b"D":
                self.column.move(_number(params) * (-1 if final == b"D" else 1))
            case b"G" | b"`":
                self.column.move_to(_number(params) - 1)
            case b"E" | b"F":
                self.column.move_to(0)
            case b"H" | b"f" | b"d":
                row, *column = params.split(b";")
                if final != b"d":
                    self.column.move_to(_number(column[0] if column else b"") - 1)
                return b"\x1b[" + b";".join([self._clamped(row, b"1"), *column]) + final
            case b"r":
                top, _, bottom = params.partition(b";")
                self.column.move_to(0)
                return b"\x1b[%b;%br" % (self._clamped(top, b"1"), self._clamped(bottom, b"%d" % self.rows))
            case _:
                if found["between"] == b"!" and found["final"] == b"p":
                    self._saved = False
                    return found.group() + kept(region(self.rows))
        return found.group()

    def _clamped(self, row: bytes, default: bytes) -> bytes:
        if not row.isdigit() or not int(row):
            return default
        return row if int(row) <= self.rows else b"%d" % self.rows


def _number(params: bytes) -> int:
    """The first parameter of a sequence, 1 where it is left out."""
    first = params.partition(b";")[0]
    return max(int(first), 1) if first.isdigit() else 1


def region(rows: int) -> bytes:
    """Scroll within the first `rows` rows; the cursor goes to the first."""
    return b"\x1b[1;%dr" % rows


def kept(sequence: bytes) -> bytes:
    """A sequence after which the cursor, its colours and character set are as they were."""
    return b"\x1b7" + sequence + b"\x1b8"
