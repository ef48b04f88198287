"""Eight numbers of an array, or of each of its channels, in one pass over memory, on the GPU; and of several arrays."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layout import layout
from trimtab.kernels.moments import Numbers
from trimtab.kernels.triton import merge
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.reading import is_readable
from trimtab.kernels.triton.tally import shares
from trimtab.kernels.triton.tiles import cut


@triton.jit(do_not_specialize=["parts", "slots", "beside", "channels"])
def _numbers(to, partial, parts, slots, beside, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """The eight numbers of each channel."""
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    there = channel < channels
    n, mean, m2 = merge.moments(partial, parts, slots, beside, channels, PARTS, CHANNELS)
    low, high = merge.extremes(partial, parts, slots, beside, channels, PARTS, CHANNELS)
    at = to + channel
    tl.store(at, n, mask=there)
    tl.store(at + channels, mean, mask=there)
    tl.store(at + 2 * channels, m2, mask=there)
    tl.store(at + 3 * channels, low, mask=there)
    tl.store(at + 4 * channels, high, mask=there)
    for row in tl.static_range(5, 8):
        count = merge.added(partial, row, parts, slots, beside, channels, PARTS, CHANNELS)
        tl.store(at + row * channels, count, mask=there)


def measure(x: Tensor, dim: int | None = None, limit: float = math.inf, *, precise: bool = False) -> Numbers | None:
    """As `trimtab.kernels.moments.measure`, on the device; None where `x` is not for the kernels.

    Nothing waits for the device, and the result depends on the shape and the values alone.
    """
    place = layout(x, dim) if is_readable(x) else None
    if place is None:
        return None
    if not x.numel():
        empty = torch.tensor([0.0, 0.0, 0.0, math.inf, -math.inf, 0.0, 0.0, 0.0], dtype=torch.float64)
        numbers = empty.to(x.device, non_blocking=True)[:, None].repeat(1, place.channels)
    else:
        tiles, wide = cut(place), tl.float64 if precise or x.dtype == torch.float64 else tl.float32
        numbers = _together(shares(x, place, tiles, wide, limit), tiles.beside, place.channels)
    return Numbers(*(numbers.squeeze(1) if dim is None else numbers))


def merged(several: Sequence[Numbers]) -> Numbers:
    """The numbers of several arrays as those of one, on their device; at least one, all of the same channels."""
    partial = torch.stack([torch.stack(numbers) for numbers in several], 1)
    whole = _together(partial.reshape(8, len(several), -1), 1, several[0].mean.numel())
    return Numbers(*whole.reshape(8, *several[0].mean.shape))


def _together(partial: Tensor, beside: int, channels: int) -> Tensor:
    """The numbers [8, channels] of shares [8, parts, slots]."""
    _, parts, slots = partial.shape
    numbers = torch.empty(8, channels, dtype=torch.float64, device=partial.device)
    grid, compiled = merge.programs(parts * beside, channels)
    launch(_numbers, grid, numbers, partial, parts, slots, beside, channels, **compiled)
    return numbers
