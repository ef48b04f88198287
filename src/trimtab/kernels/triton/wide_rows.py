"""Layer normalisation of rows that are too wide for a program: split over programs, and read twice each way."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layout import Layout
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.layer_norm_rows import feature
from trimtab.kernels.triton.normal import apply, statistics
from trimtab.kernels.triton.slopes import sums
from trimtab.kernels.triton.tiles import ceil_of, cut, even, evenly

COLUMNS, ROWS, WARPS = 1024, 2, 8
PER = 64  # rows of a program


@triton.jit(do_not_specialize=["rows", "per"])
def _slopes(dx, partial, dy, x, weight, shift, rest, rstd, along, across, rows, width, per,
            EVEN: tl.constexpr, CORRECTION: tl.constexpr, WIDE: tl.constexpr,
            ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """∂L/∂x of some columns of some rows, and their share of Σ ∂L/∂y x̂ and Σ ∂L/∂y of each column."""
    width = evenly(width, EVEN)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    first = tl.program_id(1) * per
    end = tl.minimum(first + per, rows)
    n = tl.zeros([1, 1], WIDE) + width
    gamma = feature(weight, 1.0, column[None, :], width, WIDE)
    dweight = tl.zeros([ROWS, COLUMNS], WIDE)
    dbias = tl.zeros([ROWS, COLUMNS], WIDE)
    for row in range(first, end, ROWS):
        i = row + tl.arange(0, ROWS)
        scale = tl.load(rstd + i, mask=i < end, other=0)[:, None]
        centre = tl.load(shift + i, mask=i < end, other=0)[:, None]
        offset = tl.load(rest + i, mask=i < end, other=0)[:, None] * scale
        mean = tl.load(along + i, mask=i < end, other=0)[:, None] / n
        slope = tl.load(across + i, mask=i < end, other=0)[:, None] / (n - CORRECTION)
        at = i[:, None].to(tl.int64) * width + column[None, :]
        there = (i[:, None] < end) & (column[None, :] < width)
        dv = tl.load(dy + at, mask=there, other=0).to(WIDE)
        normal = (tl.load(x + at, mask=there, other=0).to(WIDE) - centre) * scale - offset
        value = scale * (dv * gamma - mean - normal * slope)
        tl.store(dx + at, value.to(dx.dtype.element_ty), mask=there)
        dweight += dv * normal
        dbias += dv
    to = partial + tl.program_id(1).to(tl.int64) * 2 * width + column
    tl.store(to, tl.sum(dweight, 0), mask=column < width)
    tl.store(to + width, tl.sum(dbias, 0), mask=column < width)


def forward(
    y: Tensor,
    x: Tensor,
    kept: list[Tensor],
    weight: Tensor | None,
    bias: Tensor | None,
    rows: int,
    wide: tl.dtype,
    eps: float,
    correction: int,
) -> None:
    """`x` normalised into `y`, and its statistics shift, rest and rstd into `kept`."""
    place = Layout(1, rows, x.numel() // rows)
    tiles = cut(place)
    statistics(x, place, tiles, wide, eps, correction, [*kept, None])
    given = dict(zip(("shift", "rest", "rstd"), kept, strict=True))
    apply(y, x, {**given, "weight": weight, "bias": bias}, place, tiles, wide, features=True)


def backward(
    dx: Tensor,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | None,
    kept: list[Tensor],
    rows: int,
    wide: tl.dtype,
    correction: int,
) -> Tensor:
    """∂L/∂x into `dx`; returns the shares [programs, 2, width] of the gradients of γ and κ."""
    width = x.numel() // rows
    place = Layout(1, rows, width)
    along, across = torch.empty(2, rows, dtype=kept[0].dtype, device=x.device)
    sums(dy, x, kept, weight, place, cut(place), wide, (along, across), features=True)
    grid = (ceil_of(width, COLUMNS), ceil_of(rows, PER))
    partial = torch.empty(grid[1], 2, width, dtype=kept[0].dtype, device=x.device)
    given = (partial, dy, x, weight, *kept, along, across, rows, width, PER)
    block = {"ROWS": ROWS, "COLUMNS": COLUMNS, "num_warps": WARPS}
    launch(_slopes, grid, dx, *given, EVEN=even(width), CORRECTION=correction, WIDE=wide, **block)
    return partial
