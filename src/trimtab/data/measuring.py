"""The moments of one batch, in one pass of a kernel where one takes the batch, else chunk by chunk."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from trimtab.data.axis import across
from trimtab.data.finite import Policy, kept
from trimtab.kernels import moments
from trimtab.kernels.triton import presence
from trimtab.methods.moments import Moments

CHUNK = 1 << 20  # values at a time; their float64 copies stay in the cache


def measured(x: Tensor, dim: int | None, *, nan: Policy, inf: Policy, where: str) -> Moments:
    """The moments of each feature of `x`, computed in float64; values that are not finite by the policies."""
    found = _by_kernel(x, dim, omitting=nan == inf == "omit")
    return _by_torch(x, dim, nan=nan, inf=inf, where=where) if found is None else found


def _by_kernel(x: Tensor, dim: int | None, omitting: bool) -> Moments | None:
    """None where no kernel takes `x`, and where a value is not finite that is to be looked at."""
    if torch.compiler.is_compiling() or type(x) not in (Tensor, torch.nn.Parameter):
        return None
    if presence.takes(x.device):
        from trimtab.kernels.triton import moments as moments_on_device

        numbers = moments_on_device.measure(x, dim, precise=True)
    else:
        numbers = moments.measure(x, dim, precise=True)
    if numbers is None or not (omitting or bool((numbers.nonfinite == 0).all())):
        return None
    return Moments(numbers.finite, numbers.mean, numbers.m2)


def _by_torch(x: Tensor, dim: int | None, *, nan: Policy, inf: Policy, where: str) -> Moments:
    """In chunks that are merged."""
    keep = kept(x, dim, nan=nan, inf=inf, where=where)
    axes = across(x, dim)
    if not axes:
        return Moments.of(x, axes, keep)
    step = max(1, CHUNK * x.shape[axes[0]] // max(1, x.numel()))
    parts = x.split(step, axes[0])
    masks = [None] * len(parts) if keep is None else keep.split(step, axes[0])
    return reduce(Moments.merge, (Moments.of(part, axes, mask) for part, mask in zip(parts, masks, strict=True)))
