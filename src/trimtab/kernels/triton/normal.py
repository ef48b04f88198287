"""Statistics of channels, and arrays normalised by them: batch normalisation forward, and layer norm of wide rows."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layout import Layout
from trimtab.kernels.triton import merge
from trimtab.kernels.triton.elementary import ratio, root
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.tally import shares
from trimtab.kernels.triton.tiles import UNALIGNED, Tiles, columns_of, evenly, rows_of, tile


@triton.jit(do_not_specialize=["parts", "slots", "beside", "channels"])
def _statistics(shift, rest, rstd, deviation, partial, parts, slots, beside, channels,
                EPS: tl.constexpr, CORRECTION: tl.constexpr, WIDE: tl.constexpr,
                PARTS: tl.constexpr, CHANNELS: tl.constexpr):  # fmt: skip
    """The mean in two parts, 1/√(s² + ε) and s of each channel."""
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    there = channel < channels
    n, mean, m2 = merge.moments(partial, parts, slots, beside, channels, PARTS, CHANNELS)
    variance = m2 / (n - CORRECTION)
    coarse = mean.to(WIDE)
    tl.store(shift + channel, coarse, mask=there)
    tl.store(rest + channel, (mean - coarse.to(tl.float64)).to(WIDE), mask=there)
    tl.store(rstd + channel, (1 / tl.sqrt(variance + EPS)).to(WIDE), mask=there)
    if deviation is not None:
        tl.store(deviation + channel, tl.sqrt(variance).to(WIDE), mask=there)


@triton.jit
def of_channels(at, value, slot, inner, limit, PLANES: tl.constexpr, COLUMNS: tl.constexpr, WIDE: tl.constexpr):
    """A number of the program's channel, or of each column's, as a row of a tile; `value` where there is none."""
    if at is None:
        return tl.full([1, 1], value, WIDE)
    elif PLANES:
        return tl.zeros([1, 1], WIDE) + tl.load(at + slot).to(WIDE)
    else:
        column = slot + tl.arange(0, COLUMNS)
        return tl.load(at + column // inner, mask=column < limit, other=0).to(WIDE)[None, :]


@triton.jit
def of_features(at, value, column, limit, COLUMNS: tl.constexpr, WIDE: tl.constexpr):
    """A number of each column, as a row of a tile; `value` where there is none."""
    if at is None:
        return tl.full([1, 1], value, WIDE)
    else:
        feature = column + tl.arange(0, COLUMNS)
        return tl.load(at + feature, mask=feature < limit, other=0).to(WIDE)[None, :]


@triton.jit(do_not_specialize=UNALIGNED)
def _apply(y, x, shift, rest, rstd, variance, weight, bias, outer, channels, inner, width, limit, spans, span, rows,
           EPS: tl.constexpr, FEATURES: tl.constexpr, WIDE: tl.constexpr, PLANES: tl.constexpr,
           EVEN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """`γ ((x − shift) rstd − rest rstd) + κ`; γ and κ of the channels or, with FEATURES, of the columns of a plane."""
    each, width, limit = evenly(inner, EVEN if PLANES else 1), evenly(width, EVEN), evenly(limit, EVEN)
    slot, start, stop, begin = columns_of(channels, each, spans, span, PLANES)
    first, end = rows_of(outer, rows)
    centre = of_channels(shift, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    if rstd is None:
        spread = of_channels(variance, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) + EPS
        scale = ratio(spread * 0 + 1, root(spread))
    else:
        scale = of_channels(rstd, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    offset = of_channels(rest, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) * scale
    if not FEATURES:
        gamma = of_channels(weight, 1.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
        kappa = of_channels(bias, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    for row in range(first, end, ROWS):
        for column in range(start, stop, COLUMNS):
            at, there = tile(row, end, column, limit, begin, width, ROWS, COLUMNS)
            if FEATURES:
                gamma = of_features(weight, 1.0, column, limit, COLUMNS, WIDE)
                kappa = of_features(bias, 0.0, column, limit, COLUMNS, WIDE)
            value = tl.load(x + at, mask=there, other=0).to(WIDE)
            value = ((value - centre) * scale - offset) * gamma + kappa
            tl.store(y + at, value.to(y.dtype.element_ty), mask=there)


def statistics(
    x: Tensor, place: Layout, tiles: Tiles, wide: tl.dtype, eps: float, correction: int, to: list[Tensor | None]
) -> None:
    """Those of the channels of `x` into `to`: shift, rest, 1/√(s² + ε), and s where it is not None."""
    partial = shares(x, place, tiles, wide)
    grid, compiled = merge.programs(tiles.parts * tiles.beside, place.channels)
    sizes = (tiles.parts, tiles.slots, tiles.beside, place.channels)
    assert to[0] is not None
    launch(_statistics, grid, to[0], *to[1:], partial, *sizes, EPS=eps, CORRECTION=correction, WIDE=wide, **compiled)


def apply(
    y: Tensor,
    x: Tensor,
    given: dict[str, Tensor | None],
    place: Layout,
    tiles: Tiles,
    wide: tl.dtype,
    eps: float = 0.0,
    features: bool = False,
) -> None:
    """`x` normalised into `y` by what is `given` of shift, rest, rstd or variance, weight and bias."""
    names = ("shift", "rest", "rstd", "variance", "weight", "bias")
    values = [given.get(name) for name in names]
    own = {"EPS": eps, "FEATURES": features, "WIDE": wide}
    launch(_apply, tiles.grid, y, x, *values, *tiles.sizes(place), **own, **tiles.compiled(place))
