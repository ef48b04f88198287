"""An array [outer, channels, inner] cut in tiles for programs, by its shape alone: sums have one order on any card.

Memory is a table of `outer` rows and `channels · inner` columns. Where a channel's values lie in stretches ("planes") a
program takes columns of one channel, else neighbouring columns of several; a channel is split over rows, too, where
there would be few programs otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

from trimtab.kernels.layout import Layout

TILE = 2048  # elements that a program takes at a time
WARPS = 8
PROGRAMS = 1024  # some for each multiprocessor of a large card
STRETCH = 16  # from which length on a stretch is worth a program's own columns
ABREAST = 128  # columns of several channels that a program takes: whole lines of memory


class Tiles(NamedTuple):
    """`groups` of columns times `pieces` of rows are the programs.

    `spans` groups are of one channel; `span` is how many columns, and `rows` how many rows a program takes, in tiles of
    `block` rows and columns. Sums of a channel come in `parts`, and in `beside` neighbouring columns.
    """

    planes: bool
    groups: int
    spans: int
    span: int
    pieces: int
    rows: int
    block: tuple[int, int]
    slots: int
    beside: int

    @property
    def grid(self) -> tuple[int, int]:
        """The programs."""
        return self.groups, self.pieces

    @property
    def parts(self) -> int:
        """Programs that see the same columns, or the same channel."""
        return self.spans * self.pieces

    def compiled(self) -> dict[str, Any]:
        """What kernels over tiles have compiled in."""
        return {"PLANES": self.planes, "ROWS": self.block[0], "COLUMNS": self.block[1], "num_warps": WARPS}


def cut(place: Layout) -> Tiles:
    """The tiles of an array without gaps, of which no size is 0."""
    outer, channels, inner = place
    if inner < STRETCH:
        width = channels * inner
        columns = min(triton.next_power_of_2(width), ABREAST)
        groups, spans, span = triton.cdiv(width, columns), 1, columns
    else:
        columns = min(triton.next_power_of_2(inner), TILE // 2)
        spans = max(1, min(PROGRAMS // channels, triton.cdiv(inner, columns)))
        span = triton.cdiv(triton.cdiv(inner, spans), columns) * columns
        spans = triton.cdiv(inner, span)
        groups = channels * spans
    block = (min(triton.next_power_of_2(outer), max(1, TILE // columns)), columns)
    pieces = max(1, min(PROGRAMS // groups, triton.cdiv(outer, 2 * block[0])))
    rows = triton.cdiv(triton.cdiv(outer, pieces), block[0]) * block[0]
    planes = inner >= STRETCH
    slots, beside = (channels, 1) if planes else (channels * inner, inner)
    return Tiles(planes, groups, spans, span, triton.cdiv(outer, rows), rows, block, slots, beside)


@triton.jit
def columns_of(channels, inner, spans, span, PLANES: tl.constexpr):
    """Of this program: its channel, or its first column; from where to where its columns are; what they begin at.

    A tile may reach beyond the last column of all, and of no other program's: the mask is by a size that the compiler
    knows to be a multiple of 16, where it is one, or it could not load in vectors.
    """
    group = tl.program_id(0)
    if PLANES:
        channel = group // spans
        start = (group % spans) * span
        return channel, start, tl.minimum(start + span, inner), channel.to(tl.int64) * inner
    else:
        start = group * span
        return start, start, tl.minimum(start + span, channels * inner), start.to(tl.int64) * 0


@triton.jit
def rows_of(outer, rows):
    """Of this program: from where to where its rows are."""
    start = tl.program_id(1) * rows
    return start, tl.minimum(start + rows, outer)


@triton.jit
def tile(row, end, column, limit, begin, width, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """The places of a tile's elements, and which of them there are."""
    i = row + tl.arange(0, ROWS)[:, None]
    j = column + tl.arange(0, COLUMNS)[None, :]
    return begin + i.to(tl.int64) * width + j, (i < end) & (j < limit)


@triton.jit
def gathered(x, PLANES: tl.constexpr):
    """The sum of a tile: of all of it, or of each column."""
    if PLANES:
        return tl.sum(tl.sum(x, 1), 0)
    else:
        return tl.sum(x, 0)
