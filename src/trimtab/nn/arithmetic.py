"""What both normalisations compute, on plain tensors: the part that a fast kernel takes over.

Batch and layer normalisation are one computation: statistics over `dims`, then scale and shift. They differ in which
dimensions those are. All sums are in float32 for float16 and bfloat16 input, else in the input's own type; statistics
keep the dimensions that they are taken over, with size 1. `n` is the number of values of one statistic, and `divisor`
what the variance divides by: n, or n − 1 when it is unbiased.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Dims = tuple[int, ...]
Count = int | Tensor


class Statistics(NamedTuple):
    """The mean in two parts, `x̄ = shift + rest`, and `rstd = 1/√(s² + ε)`.

    In two parts because a mean of 10⁴ rounded to float32 is off by up to 5·10⁻⁴, which an x − x̄ of size 1 would show.
    `shift` is a constant to every derivative: only `rest` moves with x.
    """

    shift: Tensor
    rest: Tensor
    rstd: Tensor


def widen(x: Tensor) -> Tensor:
    """In the type that sums are kept in."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def size(x: Tensor, dims: Dims) -> int:
    """How many values one statistic over `dims` is of."""
    return math.prod([x.shape[dim] for dim in dims])


def measure(x: Tensor, dims: Dims, eps: float, divisor: int) -> tuple[Tensor, Statistics, Tensor]:
    """`x − x̄`, the statistics over `dims`, and the standard deviation s by itself."""
    x = widen(x)
    shift = x.detach().mean(dims, keepdim=True)
    centred = x - shift
    rest = centred.mean(dims, keepdim=True)
    centred = centred - rest
    rstd, deviation = spread(centred, dims, eps, divisor)
    return centred, Statistics(shift, rest, rstd), deviation


def spread(centred: Tensor, dims: Dims, eps: float, divisor: int) -> tuple[Tensor, Tensor]:
    """`1/√(s² + ε)` and s of centred values, which are scaled to at most 1 before squaring: no square overflows."""
    root_eps = math.sqrt(eps)
    smallest = max(root_eps, torch.finfo(centred.dtype).tiny)
    scale = centred.detach().abs().amax(dims, keepdim=True).clamp_min(smallest)
    square = (centred / scale).square().sum(dims, keepdim=True) / divisor
    rstd = 1 / (scale * (square + (root_eps / scale).square()).sqrt())
    return rstd, scale * square.detach().sqrt()


def standardize(x: Tensor, statistics: Statistics) -> Tensor:
    """`(x − x̄) / √(s² + ε)`."""
    shift, rest, rstd = statistics
    return torch.addcmul(-rest * rstd, widen(x) - shift, rstd)


def scale_and_shift(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """`γ x̂ + κ`."""
    if weight is not None and bias is not None:
        return torch.addcmul(bias, normal, weight)
    scaled = normal if weight is None else normal * weight
    return scaled if bias is None else scaled + bias


def input_gradient(
    g: Tensor,
    normal: Tensor,
    rstd: Tensor,
    g_statistics: tuple[Tensor, Tensor],
    dims: Dims,
    n: Count,
    divisor: Count,
    total: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """`∂L/∂x = rstd (g − 1/n Σ g − x̂ 1/divisor Σ g x̂)` for `g = ∂L/∂x̂`, plus what comes by way of the statistics.

    Args:
        g: ∂L/∂x̂.
        normal: x̂.
        rstd: of the statistics.
        g_statistics: ∂L/∂rest and ∂L/∂rstd where the statistics themselves are used, as in a second derivative.
        dims: that the statistics were taken over.
        n: values of one statistic.
        divisor: of the variance.
        total: adds up the two sums over all ranks, where x̄ and s² are of more values than these.
    """
    g_rest, g_rstd = g_statistics
    along = rstd * g.sum(dims, keepdim=True) - g_rest
    across = rstd * ((g * normal).sum(dims, keepdim=True) + rstd * g_rstd)
    along, across = total(torch.stack([along, across]))
    return torch.addcmul(torch.addcmul(-along / n, g, rstd), normal, -across / divisor)


def parameter_gradient(g: Tensor, like: Tensor, batch_dims: Dims) -> Tensor:
    """`Σ g` over the dimensions that share a parameter, in the parameter's shape and type."""
    return (g.sum(batch_dims) if batch_dims else g).reshape(like.shape).to(like.dtype)


def tangent(
    x_t: Tensor,
    normal: Tensor,
    rstd: Tensor,
    dims: Dims,
    n: Count,
    divisor: Count,
    total: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> tuple[Tensor, Tensor, Tensor]:
    """How x̂, `rest` and `rstd` move when x moves by `x_t`; the other arguments are those of `input_gradient`."""
    x_t = widen(x_t)
    sums = torch.stack([x_t.sum(dims, keepdim=True), (normal * x_t).sum(dims, keepdim=True)])
    along, across = total(sums)
    rest_t, rstd_t = along / n, -rstd.square() * across / divisor
    return (x_t - rest_t) * rstd + normal * (rstd_t / rstd), rest_t, rstd_t


def tangent_of_scaled(
    normal: Tensor, normal_t: Tensor, weight: Tensor | None, weight_t: Tensor | None, bias_t: Tensor | None
) -> Tensor:
    """How `γ x̂ + κ` moves when x̂, γ and κ do; None is what stands still."""
    y_t = normal_t if weight is None else normal_t * weight
    y_t = y_t if weight_t is None else y_t + normal * weight_t
    return y_t if bias_t is None else y_t + bias_t
