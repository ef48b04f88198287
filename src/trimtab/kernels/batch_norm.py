"""Batch normalisation on the CPU: statistics and values in two passes over memory at most, each way."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native
from trimtab.kernels.layout import CODE, Layout, is_ours, laid_out_as, layout, parameter, wide

STATISTICS = ("shift", "rest", "rstd", "deviation")
PLACES = ("x", "dy", "to", "weight", "bias", *STATISTICS, "dweight", "dbias", "partial", "coefficients")


class Normalized(NamedTuple):
    """y and, of each channel, shaped to go with x: the mean in two parts, shift + rest, 1/√(s² + ε), and s."""

    y: Tensor
    shift: Tensor
    rest: Tensor
    rstd: Tensor
    deviation: Tensor


class Gradients(NamedTuple):
    """∂L/∂x in the type of x, and those of γ and κ [channels], float32 (float64 for float64)."""

    x: Tensor
    weight: Tensor
    bias: Tensor


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5, correction: int = 0
) -> Normalized | None:
    """`γ (x − x̄)/√(s² + ε) + κ` by the batch's own statistics; None where `x` is not for the native core.

    Args:
        x: [B, C, *space] on the CPU, without gaps in memory, in any order of dimensions; float32, float64, bfloat16 or
            float16. y has its strides. Of float64, beyond ±1e150 the variance overflows.
        weight: γ [C], of any type; None is 1.
        bias: κ [C]; None is 0.
        eps: ε.
        correction: s² divides by the number of a channel's values less this.

    Source: Ioffe and Szegedy (2015), "Batch Normalization", arXiv:1502.03167.
    """
    place = _place(x)
    if place is None or place.outer * place.inner <= correction:
        return None
    y, dtype = torch.empty_like(x), wide(x.dtype)
    statistics = [torch.empty(_shape(x), dtype=dtype) for _ in range(4)]
    gamma, kappa = parameter(weight, place.channels, 1.0, dtype), parameter(bias, place.channels, 0.0, dtype)
    tensors = {"x": x, "to": y, "weight": gamma, "bias": kappa, **dict(zip(STATISTICS, statistics, strict=True))}
    _run("trimtab_batch_norm_forward", place, tensors, eps, correction)
    return Normalized(y, *statistics)


def backward(
    dy: Tensor, x: Tensor, weight: Tensor | None, statistics: tuple[Tensor, Tensor, Tensor], correction: int = 0
) -> Gradients | None:
    """The gradients of `forward`, by its `shift, rest, rstd`; None where `x` is not for the native core.

    `∂L/∂x = γ rstd (dy − 1/n Σ dy − x̂ 1/(n − correction) Σ dy x̂)`, sums over the n values of a channel.
    """
    place = _place(x)
    if place is None:
        return None
    dx, dtype = torch.empty_like(x), wide(x.dtype)
    dweight, dbias = torch.empty(2, place.channels, dtype=dtype)
    tensors = {"x": x, "dy": laid_out_as(dy, x), "to": dx, "weight": parameter(weight, place.channels, 1.0, dtype)}
    kept = [parameter(statistic, place.channels, 0.0, dtype) for statistic in statistics]
    tensors |= dict(zip(STATISTICS, kept, strict=False)) | {"dweight": dweight, "dbias": dbias}
    _run("trimtab_batch_norm_backward", place, tensors, 0.0, correction)
    return Gradients(dx, dweight, dbias)


def evaluate(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5
) -> Tensor | None:
    """`γ (x − μ̄)/√(σ̄² + ε) + κ` by given statistics [C]; None where `x` is not for the native core."""
    place = _place(x)
    if place is None:
        return None
    y, dtype = torch.empty_like(x), wide(x.dtype)
    gamma = parameter(weight, place.channels, 1.0, torch.float64)
    scale = (gamma / (variance.detach().double() + eps).sqrt()).to(dtype)
    shift, kappa = parameter(mean, place.channels, 0.0, dtype), parameter(bias, place.channels, 0.0, dtype)
    _run("trimtab_batch_norm_apply", place, {"x": x, "to": y, "weight": scale, "bias": kappa, "shift": shift}, eps, 0)
    return y


class _Job(ctypes.Structure):
    """BatchNormJob of native/batch_norm.cpp."""

    _fields_ = [
        *((name, native.INTEGER) for name in Layout._fields),
        *((name, native.REAL) for name in ("eps", "divisor")),
        *((name, native.ADDRESS) for name in PLACES),
    ]


def _run(name: str, place: Layout, tensors: dict[str, Tensor], eps: float, correction: int) -> None:
    x, weight = tensors["x"], tensors["weight"]
    partial = torch.empty(_room("partial")(*place), dtype=torch.float64)
    coefficients = torch.empty(_room("coefficients")(*place), dtype=weight.dtype)
    tensors = {**tensors, "partial": partial, "coefficients": coefficients}
    addresses = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    job = _Job(*place, eps, float(place.outer * place.inner - correction), **addresses)
    _call(name)(native.DTYPES[x.dtype], ctypes.byref(job), native.threads())


def _place(x: Tensor) -> Layout | None:
    """Where the channels are, if there are any values of theirs that the core can read."""
    return layout(x, 1) if x.ndim > 1 and x.numel() and is_ours(x) else None


def _shape(x: Tensor) -> tuple[int, ...]:
    return (1, x.shape[1], *[1] * (x.ndim - 2))


@cache
def _call(name: str) -> Callable[..., Any]:
    return native.function(name, CODE, ctypes.POINTER(_Job), CODE)


@cache
def _room(what: str) -> Callable[..., int]:
    return native.function(f"trimtab_batch_norm_{what}", *[native.INTEGER] * 3, result=native.INTEGER)
