"""One pass over an array: what is known of the values that each program sees."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layout import Layout
from trimtab.kernels.triton.elementary import is_finite
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.tiles import UNALIGNED, Tiles, columns_of, evenly, gathered, rows_of, tile


@triton.jit(do_not_specialize=[*UNALIGNED, "slots", "parts"])
def _tally(partial, x, outer, channels, inner, width, limit, spans, span, rows, slots, parts,
           ALL: tl.constexpr, SATURATED: tl.constexpr, WIDE: tl.constexpr, PLANES: tl.constexpr,
           EVEN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """Count, mean and Σ (x − mean)²; for ALL of the finite values, with the other five numbers.

    Sums are of the deviations from some value, in float64: these neither cancel nor overflow, and such a card has them
    at half the speed of float32.
    """
    inner, width, limit = evenly(inner, EVEN if PLANES else 1), evenly(width, EVEN), evenly(limit, EVEN)
    slot, start, stop, begin = columns_of(channels, inner, spans, span, PLANES)
    first, end = rows_of(outer, rows)
    head = x + begin + first.to(tl.int64) * width + start
    if PLANES:
        shift = tl.load(head).to(WIDE).to(tl.float64)
        part = tl.program_id(1) * spans + tl.program_id(0) % spans
        fits = slot >= 0
    else:
        own = tl.arange(0, COLUMNS)
        slot += own
        fits = slot < limit
        shift = tl.load(head + own, mask=fits, other=0).to(WIDE).to(tl.float64)
        part = tl.program_id(1)
    shift = tl.where(is_finite(shift), shift, 0.0)
    total = tl.zeros([ROWS, COLUMNS], tl.float64)
    square = tl.zeros([ROWS, COLUMNS], tl.float64)
    if ALL:
        count = tl.zeros([ROWS, COLUMNS], tl.int32)
        zeros = tl.zeros([ROWS, COLUMNS], tl.int32)
        bad = tl.zeros([ROWS, COLUMNS], tl.int32)
        saturated = tl.zeros([ROWS, COLUMNS], tl.int32)
        smallest = tl.full([ROWS, COLUMNS], float("inf"), WIDE)
        largest = tl.full([ROWS, COLUMNS], float("-inf"), WIDE)
    for row in range(first, end, ROWS):
        for column in range(start, stop, COLUMNS):
            at, there = tile(row, end, column, limit, begin, width, ROWS, COLUMNS)
            value = tl.load(x + at, mask=there, other=0).to(WIDE)
            if ALL:
                fine = is_finite(value)
                bad += (there & (fine == 0)).to(tl.int32)
                there = there & fine
                count += there.to(tl.int32)
                zeros += (there & (value == 0)).to(tl.int32)
                smallest = tl.minimum(smallest, tl.where(there, value, float("inf")))
                largest = tl.maximum(largest, tl.where(there, value, float("-inf")))
                if SATURATED < float("inf"):
                    saturated += (there & (tl.abs(value.to(tl.float64)) >= SATURATED)).to(tl.int32)
            d = tl.where(there, value.to(tl.float64) - shift, 0.0)
            total += d
            square += d * d
    sum_ = gathered(total, PLANES)
    if ALL:
        n = gathered(count, PLANES).to(tl.float64)
    else:
        share = (end - first).to(tl.float64)
        n = sum_ * 0 + (share * (stop - start) if PLANES else share)
    per = 1 / tl.maximum(n, 1.0)
    m2 = gathered(square, PLANES) - sum_ * sum_ * per
    to, stride = partial + part * slots + slot, parts * slots
    tl.store(to, n, mask=fits)
    tl.store(to + stride, tl.where(n > 0, shift + sum_ * per, 0.0), mask=fits)
    tl.store(to + 2 * stride, tl.where(m2 < 0, 0.0, m2), mask=fits)
    if ALL:
        low = tl.min(tl.min(smallest, 1), 0) if PLANES else tl.min(smallest, 0)
        high = tl.max(tl.max(largest, 1), 0) if PLANES else tl.max(largest, 0)
        tl.store(to + 3 * stride, low.to(tl.float64), mask=fits)
        tl.store(to + 4 * stride, high.to(tl.float64), mask=fits)
        tl.store(to + 5 * stride, gathered(zeros, PLANES).to(tl.float64), mask=fits)
        tl.store(to + 6 * stride, gathered(bad, PLANES).to(tl.float64), mask=fits)
        tl.store(to + 7 * stride, gathered(saturated, PLANES).to(tl.float64), mask=fits)


def shares(x: Tensor, place: Layout, tiles: Tiles, wide: tl.dtype, limit: float | None = None) -> Tensor:
    """The numbers of each program's share, float64 [3, parts, slots]; eight of them with a limit of saturation."""
    rows = 3 if limit is None else 8
    partial = torch.empty(rows, tiles.parts, tiles.slots, dtype=torch.float64, device=x.device)
    launch(
        _tally,
        tiles.grid,
        partial,
        x,
        *tiles.sizes(place),
        tiles.slots,
        tiles.parts,
        ALL=limit is not None,
        SATURATED=limit,
        WIDE=wide,
        **tiles.compiled(place),
    )
    return partial
