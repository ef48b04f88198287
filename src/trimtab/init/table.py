"""A table of numbers on a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import rich.table
from rich.console import Console

WIDTH = 200  # of plain text at most: a table takes what it needs


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
        """For `rich.print`."""
        made = rich.table.Table(title=self.title, caption=self.caption, caption_justify="left")
        words = [all(isinstance(row[i], str) for row in self.rows) for i in range(len(self.columns))]
        for column, is_word in zip(self.columns, words, strict=True):
            made.add_column(column, justify="left" if is_word else "right", overflow="fold", no_wrap=is_word)
        for row in self.rows:
            made.add_row(*(cell if isinstance(cell, str) else _number(cell) for cell in row))
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
    Console(file=stream, width=WIDTH, color_system=None, force_jupyter=False).print(table.rich())
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _number(cell: float) -> str:
    return "–" if math.isnan(cell) else f"{cell:.3g}"
