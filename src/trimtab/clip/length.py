"""The Euclidean length of tensors, right at any scale that their dtype can hold."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

WITHOUT_FLOAT64 = ("mps",)  # kinds of device


def length(tensors: Sequence[Tensor]) -> Tensor:
    """`‖x‖₂ = √ Σ |xᵢ|²` over every coordinate of every tensor: a float64 scalar on the first one's device.

    Float32 where that device has no float64. Neither overflows nor underflows, and needs no synchronisation with the
    device. Inf where a coordinate is infinite and none is NaN; NaN where one is; 0 for no tensors.

    >>> length([torch.tensor([3e20]), torch.tensor([[4e20]])]).item()
    5.000000100204387e+20

    Differs from torch, whose float32 norms square in float32: 1e20 has the norm inf there, and 1e-30 the norm 0.
    """
    if not tensors:
        return torch.zeros((), dtype=torch.float64)
    device = tensors[0].device
    return together([_one(x).to(device) for x in tensors])


def together(lengths: Sequence[Tensor]) -> Tensor:
    """The length of the whole from the lengths of its parts."""
    return _one(torch.stack(list(lengths))) if lengths else torch.zeros((), dtype=torch.float64)


def _one(x: Tensor) -> Tensor:
    """float64 holds the square of any number of the shorter formats; its own are brought near 1 first."""
    x = as_real(x.detach())
    if x.dtype != torch.float64 and x.device.type not in WITHOUT_FLOAT64:
        return torch.linalg.vector_norm(x, dtype=torch.float64)
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    largest = torch.linalg.vector_norm(x, ord=float("inf")) if x.numel() else x.new_zeros(())
    unit = torch.where((largest > 0) & torch.isfinite(largest), largest, torch.ones_like(largest))
    return torch.linalg.vector_norm(x / unit) * unit


def as_real(x: Tensor) -> Tensor:
    """A complex number is a pair of reals, as torch's optimizers treat it."""
    return torch.view_as_real(x.resolve_conj()) if x.is_complex() else x
