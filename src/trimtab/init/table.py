"""A table of numbers on a terminal."""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import rich.box
import rich.table
from rich.console import Console

WIDTH = 200  # of plain text at most where there is no terminal: a table takes what it needs


class Named(Protocol):
    """A row with a name."""

    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=Named)


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, columns, rows of words and numbers, and what is said below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    caption: str

    def rich(self) -> rich.table.Table:
        """For `rich.print`. Where the terminal is narrow, names are folded, and never numbers."""
        made = rich.table.Table(
            title=self.title, title_justify="left", caption=self.caption, caption_justify="left",
            box=rich.box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0),
        )  # fmt: skip
        words = [all(isinstance(row[i], str) for row in self.rows) for i in range(len(self.columns))]
        for column, is_word in zip(self.columns, words, strict=True):
            made.add_column(column, justify="left" if is_word else "right", overflow="fold", no_wrap=not is_word)
        for row in self.rows:
            made.add_row(*(cell if isinstance(cell, str) else number(cell) for cell in row))
        return made


def found(rows: Sequence[Row], name: str) -> Row:
    """The first row of this name.

    Raises:
        KeyError: there is none.
    """
    for row in rows:
        if row.name == name:
            return row
    raise KeyError(f"no layer {name!r}; there are {', '.join(repr(row.name) for row in rows)}")


def rendered(table: Table) -> str:
    """As plain text."""
    stream = io.StringIO()
    width = min(shutil.get_terminal_size((WIDTH, 0)).columns, WIDTH)
    Console(file=stream, width=width, color_system=None, force_jupyter=False).print(table.rich())
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def number(cell: float) -> str:
    """In three digits; a dash where it is not known."""
    return "–" if math.isnan(cell) else f"{cell:.3g}"
