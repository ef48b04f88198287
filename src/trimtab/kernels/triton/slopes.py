"""Gradients through a normalisation by channels: two sums of each channel, and what they make of ∂L/∂y."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layout import Layout
from trimtab.kernels.triton import merge
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.normal import of_channels, of_features
from trimtab.kernels.triton.tiles import UNALIGNED, Tiles, columns_of, evenly, gathered, rows_of, tile


@triton.jit(do_not_specialize=[*UNALIGNED, "slots", "parts"])
def _sums(partial, dy, x, shift, rest, rstd, weight, outer, channels, inner, width, limit, spans, span, rows,
          slots, parts, FEATURES: tl.constexpr, WIDE: tl.constexpr, PLANES: tl.constexpr,
          EVEN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """Σ g and Σ g x̂ of each program's share; g is ∂L/∂y or, with FEATURES, γ ∂L/∂y."""
    each, width, limit = evenly(inner, EVEN if PLANES else 1), evenly(width, EVEN), evenly(limit, EVEN)
    slot, start, stop, begin = columns_of(channels, each, spans, span, PLANES)
    first, end = rows_of(outer, rows)
    centre = of_channels(shift, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    scale = of_channels(rstd, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    offset = of_channels(rest, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) * scale
    along = tl.zeros([ROWS, COLUMNS], WIDE)
    across = tl.zeros([ROWS, COLUMNS], WIDE)
    for row in range(first, end, ROWS):
        for column in range(start, stop, COLUMNS):
            at, there = tile(row, end, column, limit, begin, width, ROWS, COLUMNS)
            g = tl.load(dy + at, mask=there, other=0).to(WIDE)
            if FEATURES:
                g *= of_features(weight, 1.0, column, limit, COLUMNS, WIDE)
            value = tl.load(x + at, mask=there, other=0).to(WIDE)
            along += g
            across += tl.where(there, g * ((value - centre) * scale - offset), 0.0)
    if PLANES:
        part, fits = tl.program_id(1) * spans + tl.program_id(0) % spans, slot >= 0
    else:
        slot += tl.arange(0, COLUMNS)
        part, fits = tl.program_id(1), slot < limit
    to = partial + part * slots + slot
    tl.store(to, gathered(along.to(tl.float64), PLANES), mask=fits)
    tl.store(to + parts * slots, gathered(across.to(tl.float64), PLANES), mask=fits)


@triton.jit(do_not_specialize=["parts", "slots", "beside", "channels"])
def _added(along, across, partial, parts, slots, beside, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """The two sums of each channel."""
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    there = channel < channels
    sum_ = merge.added(partial, 0, parts, slots, beside, channels, PARTS, CHANNELS)
    tl.store(along + channel, sum_.to(along.dtype.element_ty), mask=there)
    sum_ = merge.added(partial, 1, parts, slots, beside, channels, PARTS, CHANNELS)
    tl.store(across + channel, sum_.to(across.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=[*UNALIGNED, "n"])
def slopes(dx, dy, x, shift, rest, rstd, weight, along, across,
            outer, channels, inner, width, limit, spans, span, rows, n,
            CORRECTION: tl.constexpr, WIDE: tl.constexpr, PLANES: tl.constexpr,
            EVEN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """`γ rstd (dy − 1/n Σ dy − x̂ 1/divisor Σ dy x̂)`."""
    each, width, limit = evenly(inner, EVEN if PLANES else 1), evenly(width, EVEN), evenly(limit, EVEN)
    slot, start, stop, begin = columns_of(channels, each, spans, span, PLANES)
    first, end = rows_of(outer, rows)
    centre = of_channels(shift, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    scale = of_channels(rstd, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE)
    offset = of_channels(rest, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) * scale
    gain = of_channels(weight, 1.0, slot, inner, limit, PLANES, COLUMNS, WIDE) * scale
    mean = of_channels(along, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) / n.to(WIDE)
    slope = of_channels(across, 0.0, slot, inner, limit, PLANES, COLUMNS, WIDE) / (n - CORRECTION).to(WIDE)
    for row in range(first, end, ROWS):
        for column in range(start, stop, COLUMNS):
            at, there = tile(row, end, column, limit, begin, width, ROWS, COLUMNS)
            g = tl.load(dy + at, mask=there, other=0).to(WIDE)
            normal = (tl.load(x + at, mask=there, other=0).to(WIDE) - centre) * scale - offset
            tl.store(dx + at, (gain * (g - mean - normal * slope)).to(dx.dtype.element_ty), mask=there)


def sums(
    dy: Tensor,
    x: Tensor,
    kept: list[Tensor],
    weight: Tensor | None,
    place: Layout,
    tiles: Tiles,
    wide: tl.dtype,
    to: tuple[Tensor, Tensor],
    features: bool = False,
) -> None:
    """Σ g and Σ g x̂ of each channel of an array into `to`; `kept` are the statistics shift, rest and rstd."""
    partial = torch.empty(2, tiles.parts, tiles.slots, dtype=torch.float64, device=x.device)
    given = (dy, x, *kept, weight, *tiles.sizes(place), tiles.slots, tiles.parts)
    launch(_sums, tiles.grid, partial, *given, FEATURES=features, WIDE=wide, **tiles.compiled(place))
    grid, compiled = merge.programs(tiles.parts * tiles.beside, place.channels)
    launch(_added, grid, *to, partial, tiles.parts, tiles.slots, tiles.beside, place.channels, **compiled)
