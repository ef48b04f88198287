"""Batch normalisation on the CPU: statistics and values in two passes over memory at most, each way."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native, results
from trimtab.kernels.layout import CODE, Layout, is_ours, laid_out_as, layout, parameter, wide

# BatchNormJob of native/batch_norm.cpp: where the channels are, ε, the divisor, addresses, room, whether to stream.
PLACES = ("x", "dy", "to", "weight", "bias", "shift", "rest", "rstd", "deviation", "dweight", "dbias", "variance")
JOB = struct.Struct(f"3q2d{len(PLACES)}q2q")


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
    y, dtype = results.like(x), wide(x.dtype)
    shift, rest, rstd, deviation = (torch.empty(_shape(x), dtype=dtype) for _ in range(4))
    gamma, kappa = parameter(weight, place.channels, 1.0, dtype), parameter(bias, place.channels, 0.0, dtype)
    tensors = {"x": x, "to": y, "weight": gamma, "bias": kappa, "shift": shift, "rest": rest, "rstd": rstd}
    _run("forward", place, {**tensors, "deviation": deviation}, eps, correction)
    return Normalized(y, shift, rest, rstd, deviation)


def backward(
    dy: Tensor, x: Tensor, weight: Tensor | None, statistics: tuple[Tensor, Tensor, Tensor], correction: int = 0
) -> Gradients | None:
    """The gradients of `forward`, by its `shift, rest, rstd`; None where `x` is not for the native core.

    `∂L/∂x = γ rstd (dy − 1/n Σ dy − x̂ 1/(n − correction) Σ dy x̂)`, sums over the n values of a channel.
    """
    place = _place(x)
    if place is None:
        return None
    dx, dtype = results.like(x), wide(x.dtype)
    dweight, dbias = (torch.empty(place.channels, dtype=dtype) for _ in range(2))
    shift, rest, rstd = (parameter(statistic, place.channels, 0.0, dtype) for statistic in statistics)
    tensors = {"x": x, "dy": laid_out_as(dy, x), "to": dx, "weight": parameter(weight, place.channels, 1.0, dtype)}
    tensors |= {"shift": shift, "rest": rest, "rstd": rstd, "dweight": dweight, "dbias": dbias}
    _run("backward", place, tensors, 0.0, correction)
    return Gradients(dx, dweight, dbias)


def evaluate(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5
) -> Tensor | None:
    """`γ (x − μ̄)/√(σ̄² + ε) + κ` by given statistics [C]; None where `x` is not for the native core."""
    place = _place(x)
    if place is None:
        return None
    y, dtype = results.like(x), wide(x.dtype)
    given = {"weight": (weight, 1.0), "bias": (bias, 0.0), "shift": (mean, 0.0), "variance": (variance, 1.0)}
    tensors = {name: parameter(values, place.channels, one, dtype) for name, (values, one) in given.items()}
    _run("apply", place, {**tensors, "x": x, "to": y}, eps, 0)
    return y


def _run(name: str, place: Layout, tensors: dict[str, Tensor], eps: float, correction: int) -> None:
    room = torch.empty(_room()(*place), dtype=torch.float64)
    places = [tensors[name].data_ptr() if name in tensors else 0 for name in PLACES]
    divisor = float(place.outer * place.inner - correction)
    job = JOB.pack(*place, eps, divisor, *places, room.data_ptr(), results.streams(tensors["to"]))
    _call(name)(native.DTYPES[tensors["x"].dtype], job, native.threads())


def _place(x: Tensor) -> Layout | None:
    """Where the channels are, if there are any values of theirs that the core can read."""
    return layout(x, 1) if x.ndim > 1 and x.numel() and is_ours(x) else None


def _shape(x: Tensor) -> tuple[int, ...]:
    return (1, x.shape[1], *[1] * (x.ndim - 2))


@cache
def _call(name: str) -> Callable[..., Any]:
    return native.function(f"trimtab_batch_norm_{name}", CODE, ctypes.c_char_p, CODE)


@cache
def _room() -> Callable[..., int]:
    return native.function("trimtab_batch_norm_room", *[native.INTEGER] * 3, result=native.INTEGER)
