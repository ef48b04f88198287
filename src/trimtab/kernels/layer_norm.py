"""Layer normalisation in one pass over memory each way, on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native, results
from trimtab.kernels.layout import CODE, is_ours, laid_out_as, parameter, wide


class Normalized(NamedTuple):
    """y and, of each row with its features kept as size 1, the mean in two parts, shift + rest, and 1/√(s² + ε)."""

    y: Tensor
    shift: Tensor
    rest: Tensor
    rstd: Tensor


class Gradients(NamedTuple):
    """∂L/∂x in the type of x, and those of γ and κ [features], float32 (float64 for float64)."""

    x: Tensor
    weight: Tensor
    bias: Tensor


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: int = 1, eps: float = 1e-5, correction: int = 0
) -> Normalized | None:
    """`γ (x − x̄)/√(s² + ε) + κ` of each row; None where `x` is not for the native core.

    Args:
        x: [*, *features] on the CPU, contiguous; float32, float64, bfloat16 or float16. Of float64, beyond ±1e150 the
            variance overflows.
        weight: γ of the features, of any type; None is 1.
        bias: κ of the features; None is 0.
        dims: how many dimensions the features have.
        eps: ε.
        correction: s² divides by the number of features less this.

    Source: Ba, Kiros and Hinton (2016), "Layer Normalization", arXiv:1607.06450.
    """
    rows, width = _rows(x, dims)
    if not is_ours(x) or not x.is_contiguous() or not x.numel() or width <= correction:
        return None
    y, dtype = results.like(x), wide(x.dtype)
    gamma, kappa = parameter(weight, width, 1.0, dtype), parameter(bias, width, 0.0, dtype)
    shape = (*x.shape[: x.ndim - dims], *[1] * dims)
    shift, rest, rstd = (torch.empty(shape, dtype=dtype) for _ in range(3))
    addresses = [t.data_ptr() for t in (x, gamma, kappa, y, shift, rest, rstd)]
    numbers = rows, width, eps, float(width - correction)
    _forward()(native.DTYPES[x.dtype], *addresses, *numbers, results.streams(y), native.threads())
    return Normalized(y, shift, rest, rstd)


def backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor | None,
    statistics: tuple[Tensor, Tensor, Tensor],
    dims: int = 1,
    correction: int = 0,
) -> Gradients | None:
    """The gradients of `forward`, by its `shift, rest, rstd`; None where `x` is not for the native core.

    `∂L/∂x = rstd (g − 1/d Σ g − x̂ 1/(d − correction) Σ g x̂)` with `g = γ ∂L/∂y`; the sums over rows are in float32 for
    some rows and in float64 over those, in an order that the shape alone decides.

    Differs from torch: there sums of bfloat16 and float16 are kept in that type, and stop growing at 256 or 2048.
    """
    rows, width = _rows(x, dims)
    if not is_ours(x) or not x.is_contiguous() or not x.numel():
        return None
    dtype, dy = wide(x.dtype), laid_out_as(dy, x)
    gamma, dx = parameter(weight, width, 1.0, dtype), results.like(x)
    partial = torch.empty(_chunks()(rows, width), 2, width, dtype=dtype)
    dweight, dbias = (torch.empty(x.shape[x.ndim - dims :], dtype=dtype) for _ in range(2))
    kept = [parameter(statistic, rows, 0.0, dtype) for statistic in statistics]
    addresses = [t.data_ptr() for t in (dy, x, gamma, *kept, dx, partial, dweight, dbias)]
    numbers = rows, width, float(width - correction)
    _backward()(native.DTYPES[x.dtype], *addresses, *numbers, results.streams(dx), native.threads())
    return Gradients(dx, dweight, dbias)


def _rows(x: Tensor, dims: int) -> tuple[int, int]:
    """How many rows, and how many features each has."""
    width = math.prod(x.shape[x.ndim - dims :])
    return x.numel() // max(width, 1), width


@cache
def _forward() -> Callable[..., Any]:
    places, sizes = [native.ADDRESS] * 7, [native.INTEGER] * 2
    return native.function("trimtab_layer_norm_forward", CODE, *places, *sizes, *[native.REAL] * 2, CODE, CODE)


@cache
def _backward() -> Callable[..., Any]:
    places, sizes = [native.ADDRESS] * 10, [native.INTEGER] * 2
    return native.function("trimtab_layer_norm_backward", CODE, *places, *sizes, native.REAL, CODE, CODE)


@cache
def _chunks() -> Callable[..., int]:
    return native.function("trimtab_layer_norm_chunks", native.INTEGER, native.INTEGER, result=native.INTEGER)
