"""Gradient clipping: by value, each coordinate on its own; by norm, the whole vector, which keeps its direction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def by_value(x: Tensor, bound: float) -> Tensor:
    """Each coordinate into [−ε, ε]: `min(max(xᵢ, −ε), ε)`.

    >>> by_value(torch.tensor([3.0, -0.5, -4.0]), 1.0)
    tensor([ 1.0000, -0.5000, -1.0000])
    """
    return torch.clamp(x, -bound, bound)


def by_norm(x: Tensor, bound: float) -> Tensor:
    """`ε x / ‖x‖₂` where ‖x‖₂ > ε, else x itself.

    >>> by_norm(torch.tensor([3.0, 4.0]), 1.0)
    tensor([0.6000, 0.8000])

    Differs from torch, which scales by min(1, ε / (‖x‖₂ + 1e-6)).
    Source: Pascanu, Mikolov and Bengio (2013, arXiv:1211.5063).
    """
    (clipped,) = by_global_norm([x], bound)
    return clipped


def by_global_norm(xs: Sequence[Tensor], bound: float) -> list[Tensor]:
    """All of `xs` as one vector: each times `ε / ‖x‖₂` where it is longer than ε, else the very same tensors."""
    norm = global_norm(xs)
    return [bound * x / norm for x in xs] if norm > bound else list(xs)


def global_norm(xs: Sequence[Tensor]) -> Tensor:
    """`√ Σ xᵢ²` over every coordinate of every tensor."""
    return torch.sqrt(torch.stack([(x * x).sum() for x in xs]).sum())
