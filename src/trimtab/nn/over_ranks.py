"""Batch normalisation of one tensor by the moments of the batches of all ranks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn.arithmetic import (
    Statistics,
    input_gradient,
    parameter_gradient,
    scale_and_shift,
    standardize,
    tangent,
    tangent_of_scaled,
    widen,
)
from trimtab.nn.batch import along, along_channels
from trimtab.nn.collective import KnownTotal, Total


def by_moments(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, whole: Moments, eps: float, correction: int, group: Any
) -> Tensor:
    """`γ (x − x̄) / √(s² + ε) + κ` with the whole's x̄ and s², which every rank's x moves."""
    weight, bias = along_channels(weight, x), along_channels(bias, x)
    shape = along(x)
    n, mean, m2 = whole.count.view(shape), whole.mean.view(shape), whole.m2.view(shape)
    divisor = (n - correction).clamp(min=1)  # nothing and one value are the layer's to judge
    normalize = _normalize if torch.compiler.is_compiling() else SyncBatchNorm.apply
    return normalize(x, weight, bias, n, mean, m2 / divisor, divisor, eps, group)[0]


def _normalize(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    n: Tensor,
    mean: Tensor,
    variance: Tensor,
    divisor: Tensor,
    eps: float,
    group: Any,
) -> tuple[Tensor, ...]:
    """In plain operations, which the compiler fuses. Right in the first derivative, the only one that it takes."""
    dims, dtype = _dims(x), widen(x).dtype
    shift = mean.to(dtype)
    rest = (mean - shift).to(dtype)
    centred = widen(x) - shift
    parts = centred.sum(dims, keepdim=True) / n, (centred - rest).square().sum(dims, keepdim=True) / divisor
    known = torch.stack([rest.to(n.dtype), variance]).detach()
    rest, variance = KnownTotal.apply(known, torch.stack(parts), group)
    rstd = (variance + eps).rsqrt().to(dtype)
    normal = standardize(x, Statistics(shift, rest.to(dtype), rstd))
    return scale_and_shift(normal, weight, bias).to(x.dtype), rest, rstd


class SyncBatchNorm(torch.autograd.Function):
    """As `differentiation.Normalization`, with the sums of its derivatives over all ranks."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        n: Tensor,
        mean: Tensor,
        variance: Tensor,
        divisor: Tensor,
        eps: float,
        group: Any,
    ) -> tuple[Tensor, ...]:
        dtype = widen(x).dtype
        shift = mean.to(dtype, copy=True)
        statistics = Statistics(shift, (mean - shift).to(dtype), (variance + eps).rsqrt().to(dtype))
        return scale_and_shift(standardize(x, statistics), weight, bias).to(x.dtype), *statistics

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, weight, bias, n, _, _, divisor, _, ctx.group = inputs
        _, shift, rest, rstd = output
        ctx.mark_non_differentiable(shift)
        n, divisor = n.to(shift.dtype), divisor.to(shift.dtype)
        ctx.save_for_backward(x, weight, bias, n, divisor, shift, rest, rstd)
        ctx.save_for_forward(x, weight, bias, n, divisor, shift, rest, rstd)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, n, divisor, *statistics = ctx.saved_tensors
        dy, _, g_rest, g_rstd = gradients
        dims = _dims(x)
        dy, normal = widen(dy), standardize(x, Statistics(*statistics))
        dx = dweight = dbias = None
        if ctx.needs_input_grad[0]:
            g = dy if weight is None else dy * weight
            g_statistics = (g_rest, g_rstd)
            total = _total(ctx.group)
            dx = input_gradient(g, normal, statistics[-1], g_statistics, dims, n, divisor, total).to(x.dtype)
        if weight is not None and ctx.needs_input_grad[1]:
            dweight = parameter_gradient(dy * normal, weight, dims)
        if bias is not None and ctx.needs_input_grad[2]:
            dbias = parameter_gradient(dy, bias, dims)
        return dx, dweight, dbias, None, None, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor | None, ...]:
        x, weight, _, n, divisor, *saved = ctx.saved_tensors
        statistics = Statistics(*saved)
        normal = standardize(x, statistics)
        x_t = torch.zeros_like(x) if tangents[0] is None else tangents[0]
        normal_t, rest_t, rstd_t = tangent(x_t, normal, statistics.rstd, _dims(x), n, divisor, _total(ctx.group))
        return tangent_of_scaled(normal, normal_t, weight, *tangents[1:3]).to(x.dtype), None, rest_t, rstd_t


def _total(group: Any) -> Any:
    """What adds up over all ranks, differentiably."""
    return lambda sums: Total.apply(sums, group)


def _dims(x: Tensor) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))
