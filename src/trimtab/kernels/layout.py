"""Where the channels of a tensor lie in memory."""

from __future__ import annotations

import ctypes
import math
from typing import NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native

CODE = ctypes.c_int32  # of a dtype


class Layout(NamedTuple):
    """Memory read as an array [outer, channels, inner]."""

    outer: int
    channels: int
    inner: int


def is_ours(x: Tensor) -> bool:
    """Whether the native core can read `x` at all: dense or not, it is plain numbers of a known type on the CPU."""
    plain = x.device.type == "cpu" and x.dtype in native.DTYPES and x.layout == torch.strided
    return plain and not x.is_neg() and native.available()


def layout(x: Tensor, dim: int | None) -> Layout | None:
    """How the channels of dimension `dim` lie (None: all values are one channel); None where memory has gaps."""
    contiguous = x.is_contiguous()
    order = [*range(x.ndim)] if contiguous else sorted(range(x.ndim), key=lambda d: (-x.stride(d), d))
    if not contiguous and not x.permute(order).is_contiguous():
        return None
    if dim is None:
        return Layout(1, 1, x.numel())
    sizes, at = [x.shape[d] for d in order], order.index(dim % x.ndim)
    return Layout(math.prod(sizes[:at]), sizes[at], math.prod(sizes[at + 1 :]))


def laid_out_as(x: Tensor, like: Tensor) -> Tensor:
    """`x` in the order of memory that `like` has."""
    pairs = zip(x.shape, x.stride(), like.stride(), strict=True)
    same = x.dtype == like.dtype and not x.is_neg() and all(size < 2 or one == other for size, one, other in pairs)
    return x if same else torch.empty_like(like).copy_(x)


def wide(dtype: torch.dtype) -> torch.dtype:
    """The type that numbers of `dtype` are computed in."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def parameter(weight: Tensor | None, size: int, value: float, dtype: torch.dtype) -> Tensor:
    """`size` numbers of `dtype`, one behind the other; all of one `value` where there is no parameter."""
    if weight is None:
        return torch.full((size,), value, dtype=dtype)
    if weight.dtype == dtype and weight.is_contiguous() and not weight.is_neg():
        return weight
    return weight.detach().resolve_neg().reshape(-1).to(dtype).contiguous()
