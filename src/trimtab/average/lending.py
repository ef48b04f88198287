"""Averages in the place of the weights, for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def lent(weights: Sequence[Tensor], averages: Sequence[Tensor]) -> Iterator[None]:
    """Inside the `with` block the weights hold the averages; after it, also by an exception, their own bits again."""
    kept = [weight.detach().clone() for weight in weights]
    try:
        _copy(averages, weights)
        yield
    finally:
        _copy(kept, weights)


@torch.no_grad()
def _copy(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)
