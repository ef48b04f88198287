"""Batch normalisation of one tensor: by its own statistics or by given estimates, and what it must be for that."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn import fused
from trimtab.nn.arithmetic import Statistics, scale_and_shift, size, widen
from trimtab.nn.differentiation import BatchNorm, Plan, apply


def by_batch(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, correction: int
) -> tuple[Tensor, Moments | None]:
    """`γ (x − x̄) / √(s² + ε) + κ` and the batch's moments, which are None when it is empty."""
    refuse_nonpositive(eps)
    if x.numel() == 0:
        return of_nothing(x, weight, bias), None
    weight, bias = along_channels(weight, x), along_channels(bias, x)
    dims = (0, *range(2, x.ndim))
    plan = Plan(dims, dims, eps, correction)
    y, statistics, deviation = apply(BatchNorm, x, weight, bias, plan)
    return y, moments(statistics, deviation, size(x, dims), plan.divisor(x))


def by_estimates(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """`γ (x − μ̄) / √(σ̄² + ε) + κ`."""
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if (y := fused.evaluate(x, mean, variance, weight, bias, eps)) is not None:
        return y
    mean, variance = widen(mean).view(along(x)), widen(variance).view(along(x))
    normal = (widen(x) - mean) * (variance + eps).rsqrt()
    return scale_and_shift(normal, along_channels(weight, x), along_channels(bias, x)).to(x.dtype)


def of_nothing(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """An empty batch normalised: itself, and zero gradients for what it is scaled and shifted by."""
    return scale_and_shift(x.clone(), along_channels(weight, x), along_channels(bias, x)).to(x.dtype)


@torch.no_grad()
def moments(statistics: Statistics, deviation: Tensor, n: int, divisor: int) -> Moments:
    """Of each channel, [C], in float64 where the device has it: merging takes differences of means."""
    parts = (statistics.shift, statistics.rest, deviation)
    shift, rest, deviation = (part.flatten().to(_precise(part.device)) for part in parts)
    return Moments(torch.full_like(shift, n), shift + rest, deviation.square() * divisor)


def _precise(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def along(x: Tensor) -> tuple[int, ...]:
    """The shape with which [C] broadcasts against x [B, C, *space]."""
    return (1, x.shape[1], *[1] * (x.ndim - 2))


def along_channels(values: Tensor | None, x: Tensor) -> Tensor | None:
    """[C] shaped to broadcast against x [B, C, *space]."""
    return None if values is None else values.view(along(x))


def values_per_channel(x: Tensor) -> int:
    """Batch × space."""
    return math.prod(x.shape) // x.shape[1] if x.shape[1] else 0


def single_value(shape: Sequence[int]) -> ValueError:
    """There is no variance of one value."""
    return ValueError(
        f"Expected more than 1 value per channel when training, got input size {tuple(shape)}: a single value has "
        'no variance. Take a larger batch (drop_last=True in the loader), eval(), or a layer with single="running"'
    )


def refuse_nonpositive(eps: float) -> None:
    """Without ε a constant channel would be divided by 0."""
    if eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}: torch's default is 1e-5")


def check(x: Tensor, **per_channel: Tensor | None) -> None:
    """A floating-point [B, C, *space], and C of each of the others."""
    if not x.is_floating_point():
        raise TypeError(f"batch_norm: input of type {x.dtype}, expected floating point: convert it with .float()")
    if x.ndim < 2:
        raise RuntimeError(f"batch_norm: input of shape {tuple(x.shape)}, expected [B, C, *space]")
    for name, values in per_channel.items():
        if values is not None and values.shape != x.shape[1:2]:
            raise RuntimeError(
                f"batch_norm: {name} should contain {x.shape[1]} elements not {values.numel()}: the input, of shape "
                f"{tuple(x.shape)}, has {x.shape[1]} channels in dimension 1"
            )
