"""An array [outer, channels, inner] cut in tiles for programs, by its shape alone: sums have one order on any card.

Memory is a table of `outer` rows and `channels · inner` columns. Where a channel's values lie in stretches ("planes") a
program takes columns of one channel, else neighbouring columns of several; a channel is split over rows, too, where
there would be few programs otherwise.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import triton
import triton.language as tl

from trimtab.kernels.layout import Layout

TILE = 2048  # elements that a program takes at a time
WARPS = 8
PROGRAMS = 512  # four for each multiprocessor of a large card; more would leave more to put together
STRETCH = 16  # from which length on a stretch is worth a program's own columns
UNALIGNED = ["outer", "channels", "spans", "rows"]  # sizes of which the compiler need not know what divides them
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

    def sizes(self, place: Layout) -> tuple[int, ...]:
        """What kernels over tiles take: outer, channels, inner, width, limit, spans, span, rows."""
        width = place.channels * place.inner
        return *place, width, place.inner if self.planes else width, self.spans, self.span, self.rows

    def compiled(self, place: Layout) -> dict[str, Any]:
        """What kernels over tiles have compiled in."""
        limit = place.inner if self.planes else place.channels * place.inner
        block = {"ROWS": self.block[0], "COLUMNS": self.block[1]}
        return {"PLANES": self.planes, "EVEN": even(limit), **block, "num_warps": WARPS}


def ceil_of(size: int, by: int) -> int:
    """How many parts of that size there are, the last of them perhaps shorter."""
    return -(-size // by)


def power_of_2(size: int) -> int:
    """The smallest that is not below."""
    return 1 << (size - 1).bit_length()


def even(size: int) -> int:
    """What a kernel is told to divide a distance in memory: up to 16, with which triton finds out by itself."""
    return math.gcd(size, 16)


def cut(place: Layout) -> Tiles:
    """The tiles of an array without gaps, of which no size is 0."""
    outer, channels, inner = place
    if inner < STRETCH:
        width = channels * inner
        columns = min(power_of_2(width), ABREAST)
        groups, spans, span = ceil_of(width, columns), 1, columns
    else:
        columns = min(power_of_2(inner), TILE // 2)
        spans = max(1, min(PROGRAMS // channels, ceil_of(inner, columns)))
        span = ceil_of(ceil_of(inner, spans), columns) * columns
        spans = ceil_of(inner, span)
        groups = channels * spans
    block = (min(power_of_2(outer), max(1, TILE // columns)), columns)
    pieces = max(1, min(PROGRAMS // groups, ceil_of(outer, 2 * block[0])))
    rows = ceil_of(ceil_of(outer, pieces), block[0]) * block[0]
    planes = inner >= STRETCH
    slots, beside = (channels, 1) if planes else (channels * inner, inner)
    return Tiles(planes, groups, spans, span, ceil_of(outer, rows), rows, block, slots, beside)


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
def evenly(size, EVEN: tl.constexpr):
    """The size, in which the compiler sees a multiple of EVEN."""
    if EVEN == 1 or EVEN == 16:
        return size
    else:
        return size // EVEN * EVEN


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
