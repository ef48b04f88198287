"""The moments of one batch, without a float64 copy of all of it at once."""

from __future__ import annotations

from functools import reduce

from torch import Tensor

from trimtab.data.axis import across
from trimtab.data.finite import Policy, kept
from trimtab.methods.moments import Moments

CHUNK = 1 << 20  # values at a time; their float64 copies stay in the cache


def measured(x: Tensor, dim: int | None, *, nan: Policy, inf: Policy, where: str) -> Moments:
    """The moments of each feature of `x`, in chunks that are merged; values that are not finite by the policies."""
    keep = kept(x, dim, nan=nan, inf=inf, where=where)
    axes = across(x, dim)
    if not axes:
        return Moments.of(x, axes, keep)
    step = max(1, CHUNK * x.shape[axes[0]] // max(1, x.numel()))
    parts = x.split(step, axes[0])
    masks = [None] * len(parts) if keep is None else keep.split(step, axes[0])
    return reduce(Moments.merge, (Moments.of(part, axes, mask) for part, mask in zip(parts, masks, strict=True)))
