"""Layer normalisation of rows that fit into the registers of a program: x and ∂L/∂y come from memory once."""

from __future__ import annotations

import triton
import triton.language as tl

from trimtab.kernels.triton.elementary import ratio, root
from trimtab.kernels.triton.tiles import evenly


@triton.jit
def _tile(row, end, part, width, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """The places of the elements of some rows in a part of the columns, which of them there are, and the columns."""
    i = row + tl.arange(0, ROWS)[:, None]
    j = part * WIDTH + tl.arange(0, WIDTH)[None, :]
    return i.to(tl.int64) * width + j, (i < end) & (j < width), j


@triton.jit
def feature(at, value, j, width, WIDE: tl.constexpr):
    """A number of each column; `value` where there is none."""
    if at is None:
        return tl.full([1, 1], value, WIDE)
    else:
        return tl.load(at + j, mask=j < width, other=0).to(WIDE)


@triton.jit
def _inverse_spread(d, divisor, EPS: tl.constexpr, ROOT: tl.constexpr, LEAST: tl.constexpr):
    """`1/√(s² + ε)` of rows of deviations from their mean; ROOT is √ε.

    Where squares would leave the range of float32 the deviations are taken in units of the largest, at least LEAST.
    """
    square = tl.sum(d * d, 1)[:, None]
    rstd = ratio(square * 0 + 1, root(square / divisor + EPS))
    unsafe = (square < 1e35) == 0
    if EPS < 1e-20:
        unsafe = unsafe | (square < 1e-30)
    if tl.max(tl.max(unsafe.to(tl.int32), 1), 0) != 0:
        unit = tl.maximum(tl.max(tl.abs(d), 1)[:, None], LEAST)
        share = ratio(d, unit + 0 * d)
        share = tl.sum(share * share, 1)[:, None] / divisor
        rest = ratio(share * 0 + ROOT, unit)
        rstd = tl.where(unsafe, ratio(share * 0 + 1, unit * root(share + rest * rest)), rstd)
    return rstd


@triton.jit(do_not_specialize=["rows", "per"])
def normalize_rows(y, shift, rest, rstd, x, weight, bias, rows, width, per,
                   EVEN: tl.constexpr, CORRECTION: tl.constexpr, EPS: tl.constexpr, ROOT: tl.constexpr,
                   LEAST: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr, WIDTH: tl.constexpr):  # fmt: skip
    """`γ (x − x̄)/√(s² + ε) + κ` of `per` rows, and their statistics.

    The mean is in two parts, as its rounding is not small beside s. The next rows are on their way while these are
    computed: of wide rows a multiprocessor holds no second program that would fill the time.
    """
    width = evenly(width, EVEN)
    first = tl.program_id(0) * per
    end = tl.minimum(first + per, rows)
    n = tl.zeros([1, 1], WIDE) + width
    at, there, j = _tile(first, end, 0, width, ROWS, WIDTH)
    coming = tl.load(x + at, mask=there, other=0)
    for row in range(first, end, ROWS):
        value = coming.to(WIDE)
        at, there, j = _tile(row + ROWS, end, 0, width, ROWS, WIDTH)
        coming = tl.load(x + at, mask=there, other=0)
        at, there, j = _tile(row, end, 0, width, ROWS, WIDTH)
        coarse = tl.sum(value, 1)[:, None] / n
        d = tl.where(there, value - coarse, 0.0)
        fine = tl.sum(d, 1)[:, None] / n
        d = tl.where(there, d - fine, 0.0)
        scale = _inverse_spread(d, n - CORRECTION, EPS, ROOT, LEAST)
        value = d * scale * feature(weight, 1.0, j, width, WIDE) + feature(bias, 0.0, j, width, WIDE)
        tl.store(y + at, value.to(y.dtype.element_ty), mask=there)
        i = row + tl.arange(0, ROWS)
        tl.store(shift + i, tl.sum(coarse, 1), mask=i < end)
        tl.store(rest + i, tl.sum(fine, 1), mask=i < end)
        tl.store(rstd + i, tl.sum(scale, 1), mask=i < end)


@triton.jit(do_not_specialize=["rows", "per"])
def slopes_of_rows(dx, partial, dy, x, weight, shift, rest, rstd, rows, width, per,
                   EVEN: tl.constexpr, CORRECTION: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr,
                   WIDTH: tl.constexpr, PARTS: tl.constexpr, STAGES: tl.constexpr):  # fmt: skip
    """∂L/∂x of `per` rows, and this program's share of Σ ∂L/∂y x̂ and Σ ∂L/∂y of each column.

    Registers hold the sums of WIDTH columns. Of rows of several PARTS of that width each program sums all, and then
    reads its own part again, which the cache still has.
    """
    width = evenly(width, EVEN)
    first = tl.program_id(0) * per
    end = tl.minimum(first + per, rows)
    n = tl.zeros([1, 1], WIDE) + width
    dweight = tl.zeros([ROWS, WIDTH], WIDE)
    dbias = tl.zeros([ROWS, WIDTH], WIDE)
    if PARTS == 1:
        gamma = feature(weight, 1.0, tl.arange(0, WIDTH)[None, :], width, WIDE)
    for row in tl.range(first, end, ROWS, num_stages=STAGES):
        i = row + tl.arange(0, ROWS)
        centre = tl.load(shift + i, mask=i < end, other=0)[:, None]
        scale = tl.load(rstd + i, mask=i < end, other=0)[:, None]
        offset = tl.load(rest + i, mask=i < end, other=0)[:, None] * scale
        along = tl.zeros([ROWS, 1], WIDE)
        across = tl.zeros([ROWS, 1], WIDE)
        for part in tl.static_range(PARTS):
            at, there, j = _tile(row, end, part, width, ROWS, WIDTH)
            if PARTS > 1:
                gamma = feature(weight, 1.0, j, width, WIDE)
            dv = tl.load(dy + at, mask=there, other=0).to(WIDE)
            normal = (tl.load(x + at, mask=there, other=0).to(WIDE) - centre) * scale - offset
            along += tl.sum(dv * gamma, 1)[:, None]
            across += tl.sum(dv * gamma * normal, 1)[:, None]
        if PARTS > 1:
            at, there, j = _tile(row, end, tl.program_id(1), width, ROWS, WIDTH)
            gamma = feature(weight, 1.0, j, width, WIDE)
            dv = tl.load(dy + at, mask=there, other=0, eviction_policy="evict_first").to(WIDE)
            value = tl.load(x + at, mask=there, other=0, eviction_policy="evict_first").to(WIDE)
            normal = (value - centre) * scale - offset
        slope = scale * (dv * gamma - along / n - normal * (across / (n - CORRECTION)))
        tl.store(dx + at, slope.to(dx.dtype.element_ty), mask=there)
        dweight += dv * normal
        dbias += dv
    j = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    to = partial + tl.program_id(0).to(tl.int64) * 2 * width + j
    tl.store(to, tl.sum(dweight, 0), mask=j < width)
    tl.store(to + width, tl.sum(dbias, 0), mask=j < width)


@triton.jit(do_not_specialize=["shares"])
def columns_added(to, partial, shares, columns, SHARES: tl.constexpr, COLUMNS: tl.constexpr):
    """The sums of the columns of [shares, columns], in float64."""
    j = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([SHARES, COLUMNS], tl.float64)
    for share in range(0, shares, SHARES):
        i = share + tl.arange(0, SHARES)[:, None]
        there = (i < shares) & (j < columns)[None, :]
        total += tl.load(partial + i.to(tl.int64) * columns + j[None, :], mask=there, other=0).to(tl.float64)
    tl.store(to + j, tl.sum(total, 0).to(to.dtype.element_ty), mask=j < columns)
