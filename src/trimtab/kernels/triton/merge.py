"""The shares of a channel put together, in an order that the shape alone decides: after Chan, Golub and LeVeque."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl

from trimtab.kernels.triton.tiles import ceil_of, power_of_2

AT_ONCE = 2048  # shares that a program reads at a time
ABREAST = 8  # channels at least: their shares are neighbours in memory; more where each has few
WARPS = 8


def programs(shares: int, channels: int) -> tuple[tuple[int], dict[str, int]]:
    """The grid of a kernel that puts shares together, and what it has compiled in."""
    across = min(power_of_2(channels), max(ABREAST, AT_ONCE // power_of_2(shares)))
    at_once = min(power_of_2(shares), AT_ONCE // across)
    return (ceil_of(channels, across),), {"PARTS": at_once, "CHANNELS": across, "num_warps": WARPS}


@triton.jit
def share(partial, p, slots, beside, shares, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """The places of the next shares of this program's channels, and which of them there are."""
    i = p + tl.arange(0, PARTS)[:, None]
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)[None, :]
    at = (i // beside).to(tl.int64) * slots + channel * beside + i % beside
    return partial + at, (i < shares) & (channel < channels)


@triton.jit
def moments(partial, parts, slots, beside, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """Count, mean and Σ (x − mean)² of each of this program's channels."""
    shares, stride = parts * beside, parts.to(tl.int64) * slots
    n = tl.zeros([PARTS, CHANNELS], tl.float64)
    mean = tl.zeros([PARTS, CHANNELS], tl.float64)
    m2 = tl.zeros([PARTS, CHANNELS], tl.float64)
    for p in range(0, shares, PARTS):
        at, there = share(partial, p, slots, beside, shares, channels, PARTS, CHANNELS)
        more = tl.load(at, mask=there, other=0.0)
        delta = tl.load(at + stride, mask=there, other=0.0) - mean
        part = more / tl.maximum(n + more, 1.0)
        m2 += tl.load(at + 2 * stride, mask=there, other=0.0) + delta * delta * (n * part)
        mean += delta * part
        n += more
    count = tl.sum(n, 0)
    some = tl.max(tl.where(n > 0, mean, float("-inf")), 0)  # of equal means the mean is exactly that
    delta = tl.where(n > 0, mean - some[None, :], 0.0)
    rest = tl.sum(n * delta, 0) / tl.maximum(count, 1.0)
    delta -= rest[None, :]
    return count, tl.where(count > 0, some + rest, 0.0), tl.sum(m2 + n * delta * delta, 0)


@triton.jit
def added(partial, row, parts, slots, beside, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """The sum of the shares' number of that row."""
    shares = parts * beside
    total = tl.zeros([PARTS, CHANNELS], tl.float64)
    for p in range(0, shares, PARTS):
        at, there = share(partial, p, slots, beside, shares, channels, PARTS, CHANNELS)
        total += tl.load(at + row * parts.to(tl.int64) * slots, mask=there, other=0.0)
    return tl.sum(total, 0)


@triton.jit
def extremes(partial, parts, slots, beside, channels, PARTS: tl.constexpr, CHANNELS: tl.constexpr):
    """The smallest of the shares' fourth numbers, and the largest of their fifth."""
    shares, stride = parts * beside, parts.to(tl.int64) * slots
    low = tl.full([PARTS, CHANNELS], float("inf"), tl.float64)
    high = tl.full([PARTS, CHANNELS], float("-inf"), tl.float64)
    for p in range(0, shares, PARTS):
        at, there = share(partial, p, slots, beside, shares, channels, PARTS, CHANNELS)
        low = tl.minimum(low, tl.load(at + 3 * stride, mask=there, other=float("inf")))
        high = tl.maximum(high, tl.load(at + 4 * stride, mask=there, other=float("-inf")))
    return tl.min(low, 0), tl.max(high, 0)
