"""Whatever a program writes, its part of the screen looks as on a terminal of that size, and the view stays whole."""

from __future__ import annotations

import fcntl
import os
import random
import struct
import termios
from collections.abc import Iterator

import pyte
import pytest

from trimtab.live.split_screen import SplitScreen, rows_of_view

ROWS, COLUMNS = 24, 60
PART = ROWS - rows_of_view(ROWS, COLUMNS)
VIEW = [f"view {place} \x1b[31mred" for place in range(ROWS - PART)]
SHOWN = [f"view {place} red" for place in range(ROWS - PART)]

PROGRAMS = {
    "lines": b"".join(b"line %d\r\n" % n for n in range(60)),
    "a progress bar": b"".join(b"\r%3d %%|\xe2\x96\x88\x1b[32m%s\x1b[0m|" % (n, b"#" * (n // 4)) for n in range(101)),
    "nested bars": b"".join(b"\r outer %d\n\r inner %d\x1b[A" % (n // 10, n) for n in range(80)) + b"\n\n\r",
    "lines as wide as the terminal": b"".join(bytes([65 + n]) * COLUMNS for n in range(20)),
    "clears": b"one\r\ntwo\x1b[2J\x1b[Hthree\r\nfour\x1b[J",
    "moves below its part": b"\x1b[999;5Hbottom\x1b[22;1Hrow 22\x1b[30dx\x1b[Hhome",
    "a region of its own": b"a\r\nb\r\nc\r\n\x1b[2;5r\x1b[5;1H" + b"\r\nx" * 9 + b"\x1b[r\x1b[16;1H" + b"\r\ny" * 3,
    "resets": b"one\x1bc" + b"\r\ntwo" * 20,
    "saves and restores the cursor": b"ab\x1b7\x1b[5;5Hxx\x1b8cd\x1b[s\x1b[6;1Hyy\x1b[uef",
    "colours": b"\x1b[1;38;5;200mpink \x1b[48;2;1;2;3mback\r\n\x1b[0mnone",
    "titles": b"\x1b]2;a title \x1b[2J\x07x\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\\r\n",
    "wide characters": "模型 训练\r\n".encode() * 30,
}


class Shown:
    """A terminal as pyte sees it, behind a pty."""

    def __init__(self) -> None:
        self.ours, self.theirs = os.openpty()
        attributes = termios.tcgetattr(self.theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.theirs, termios.TCSANOW, attributes)
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.resize(ROWS)
        os.set_blocking(self.ours, False)

    def resize(self, rows: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
        self.screen.resize(rows, COLUMNS)

    def rows(self) -> list[str]:
        try:
            while data := os.read(self.ours, 65536):
                self.stream.feed(data)
        except BlockingIOError:
            pass
        return [row.rstrip() for row in self.screen.display]


@pytest.fixture
def shown() -> Iterator[Shown]:
    terminal = Shown()
    yield terminal
    os.close(terminal.ours)
    os.close(terminal.theirs)


def alone(data: bytes) -> tuple[list[str], int, int]:
    """What a terminal of the part's size shows of the same bytes, and where its cursor is."""
    screen = pyte.Screen(COLUMNS, PART)
    pyte.ByteStream(screen).feed(data)
    return [row.rstrip() for row in screen.display], screen.cursor.x, screen.cursor.y


@pytest.mark.parametrize("size", [1, 3, 17, 100_000])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_has_a_terminal_and_the_view_its_place(shown: Shown, name: str, size: int) -> None:
    split = SplitScreen(shown.theirs)
    split.open()
    split.draw(VIEW)
    data = PROGRAMS[name]
    for place in range(0, len(data), size):
        split.write(data[place : place + size])
        shown.rows()
        split.draw(VIEW)
    rows, x, y = alone(data)
    assert shown.rows() == rows + SHOWN
    assert (shown.screen.cursor.x, shown.screen.cursor.y) == (x, y)
    split.close()
    assert shown.rows() == rows + [""] * len(SHOWN)
    assert shown.screen.margins in (None, (0, ROWS - 1))


def test_any_bytes_cut_anywhere(shown: Shown) -> None:
    chance = random.Random(0)
    split = SplitScreen(shown.theirs)
    split.open()
    sequences = [b"\x1b[%d%c" % (chance.randrange(3), code) for code in b"ABCDKXPLM@mG"]
    data = b"".join(chance.choice([b"text", b"\r\n", b"\r", "é█".encode(), *sequences]) for _ in range(3000))
    while data:
        cut = chance.randrange(1, 40)
        split.write(data[:cut])
        split.draw(VIEW)
        data = data[cut:]
        assert shown.rows()[PART:] == SHOWN


def test_the_view_waits_while_the_program_has_a_cursor_saved(shown: Shown) -> None:
    split = SplitScreen(shown.theirs)
    split.open()
    split.write(b"ab\x1b7\x1b[9;9H")
    split.draw(VIEW)
    assert shown.rows()[PART:] == [""] * len(SHOWN)
    split.write(b"\x1b8cd")
    assert shown.rows()[0] == "abcd" and shown.rows()[PART:] == SHOWN


def test_a_program_that_takes_the_screen_has_all_of_it(shown: Shown) -> None:
    split = SplitScreen(shown.theirs)
    split.open()
    split.draw(VIEW)
    assert split.size == (PART, COLUMNS)
    assert split.write(b"before\x1b[?1049h\x1b[H" + b"x\r\n" * (ROWS - 1) + b"last") is True
    assert split.size == (ROWS, COLUMNS)
    split.draw(VIEW)
    assert shown.rows()[-1] == "last"
    assert split.write(b"\x1b[2J\x1b[1;7H\x1b[?1049l") is True
    assert split.size == (PART, COLUMNS)
    split.draw(VIEW)
    assert shown.rows()[PART:] == SHOWN


@pytest.mark.parametrize("rows", [16, 30, 50, 10])
def test_another_size_is_taken_up(shown: Shown, rows: int) -> None:
    split = SplitScreen(shown.theirs)
    split.open()
    split.draw(VIEW)
    split.write(b"one\r\ntwo")
    shown.rows()
    shown.resize(rows)
    split.resize()
    height, columns = split.view_size
    assert split.size == (rows - height, columns) and (height > 0) == (rows > 10)
    split.draw(VIEW[:height])
    found = shown.rows()
    assert found[rows - height :] == SHOWN[:height] + [""] * (height - len(SHOWN))
    split.write(b" and a half")
    # A screen that becomes smaller keeps its last rows and the cursor with them; pyte leaves the cursor behind.
    assert "two and a half" in shown.rows() or rows < ROWS
    split.close()
    assert not any("view" in row for row in shown.rows())


def test_there_is_no_view_where_there_is_no_room() -> None:
    assert rows_of_view(15, 80) == 0
    assert rows_of_view(24, 39) == 0
    assert rows_of_view(24, 80) == 8
    assert rows_of_view(200, 80) == 20
