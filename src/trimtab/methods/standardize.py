"""Data normalisation: every feature with mean 0 and deviation 1, undone, and folded into the layers beside it."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDING = 4 * torch.finfo(torch.float64).eps  # a float64 mean is known to a few units in its last place


def is_constant(mean: Tensor, variance: Tensor) -> Tensor:
    """Whether a feature does not vary: `σ ≤ 4 ε |μ|` with float64's `ε`, so that its spread is rounding of its mean.

    Relative, not `σ = 0`, which a mean that is off by its last digit already misses; and not `σ < tiny`, which takes
    a feature of small numbers for a constant.
    """
    return variance.sqrt() <= ROUNDING * mean.abs()


def scale(mean: Tensor, variance: Tensor) -> Tensor:
    """What a feature is divided by: `σ = √variance`, and 1 where the feature is constant."""
    return torch.where(is_constant(mean, variance), 1.0, variance.sqrt())


def standardize(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """`(x − μ) / σ` for `x` of shape [..., F].

    >>> standardize(torch.tensor([2.0, 4.0]), mean=torch.tensor(3.0), scale=torch.tensor(1.0))
    tensor([-1.,  1.])
    """
    return (x - mean) / scale


def restore(y: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """`σ y + μ`, the inverse of `standardize`."""
    return scale * y + mean


def fold(weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """`W ← W/σ, b ← b − Wμ/σ`: the layer that does to raw `x` what `W, b` do to standardised `x`; `W` is [out, in]."""
    folded = weight / scale
    return folded, bias - folded @ mean


def fold_inverse(weight: Tensor, bias: Tensor, mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """`W ← σ W, b ← σ b + μ`: the layer that predicts in the original unit what `W, b` predict standardised."""
    return scale[:, None] * weight, scale * bias + mean
