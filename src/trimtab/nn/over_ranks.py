"""Batch normalisation of one tensor by the moments of the batches of all ranks."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn.arithmetic import (
    Statistics,
    input_gradient,
    measure,
    parameter_gradient,
    scale_and_shift,
    size,
    standardize,
    widen,
)
from trimtab.nn.batch import along, along_channels


@torch.no_grad()
def gather_moments(x: Tensor, group: Any) -> Moments:
    """Of every channel over all ranks of the group, merged in float64; an empty batch takes part with n = 0."""
    own = torch.stack(_own_moments(x.detach()))
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
    dist.all_gather(parts, own, group=group)
    return reduce(Moments.merge, (Moments(*part) for part in parts))


def _own_moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if x.numel() == 0:
        zero = x.new_zeros(x.shape[1], dtype=torch.float64)
        return zero, zero, zero
    dims = _dims(x)
    n = size(x, dims)
    _, (shift, rest, _), deviation = measure(x, dims, 0.0, n)
    shift, rest, deviation = (part.flatten().double() for part in (shift, rest, deviation))
    return torch.full_like(shift, n), shift + rest, deviation.square() * n


def by_moments(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, whole: Moments, eps: float, correction: int, group: Any
) -> Tensor:
    """`γ (x − x̄) / √(s² + ε) + κ` with the whole's x̄ and s², which every rank's x moves."""
    weight, bias = along_channels(weight, x), along_channels(bias, x)
    return SyncBatchNorm.apply(x, weight, bias, whole, eps, correction, group)[0]


class SyncBatchNorm(torch.autograd.Function):
    """As `differentiation.Normalization`, with the sums of the input's gradient over all ranks."""

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor | None, bias: Tensor | None, whole: Moments, eps: float, correction: int, group: Any
    ) -> tuple[Tensor, ...]:
        dtype = widen(x).dtype
        mean = whole.mean.view(along(x))
        shift = mean.to(dtype)
        rstd = (whole.variance(bool(correction)) + eps).rsqrt().view(along(x))
        statistics = Statistics(shift, (mean - shift).to(dtype), rstd.to(dtype))
        return scale_and_shift(standardize(x, statistics), weight, bias).to(x.dtype), *statistics

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, weight, bias, whole, _, correction, ctx.group = inputs
        ctx.n = int(whole.count[0])
        ctx.divisor = ctx.n - correction
        _, shift, rest, rstd = output
        ctx.mark_non_differentiable(shift)
        ctx.save_for_backward(x, weight, bias, shift, rest, rstd)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, *statistics = ctx.saved_tensors
        dy, _, g_rest, g_rstd = gradients
        dims = _dims(x)
        dy, normal = widen(dy), standardize(x, Statistics(*statistics))
        dx = dweight = dbias = None
        if ctx.needs_input_grad[0]:
            g = dy if weight is None else dy * weight
            g_statistics = (g_rest, g_rstd)

            def total(sums: Tensor) -> Tensor:
                return Total.apply(sums, ctx.group)

            dx = input_gradient(g, normal, statistics[-1], g_statistics, dims, ctx.n, ctx.divisor, total).to(x.dtype)
        if weight is not None and ctx.needs_input_grad[1]:
            dweight = parameter_gradient(dy * normal, weight, dims)
        if bias is not None and ctx.needs_input_grad[2]:
            dbias = parameter_gradient(dy, bias, dims)
        return dx, dweight, dbias, None, None, None, None


class Total(torch.autograd.Function):
    """The sum over all ranks; each rank's part moves every rank's sum, so that its derivative is that sum again."""

    @staticmethod
    def forward(part: Tensor, group: Any) -> Tensor:
        whole = part.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(whole, group=group)
        return whole

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.group = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Total.apply(gradient, ctx.group), None


def _dims(x: Tensor) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))
