"""Sums with a factor that is a number or, under capture and compilation, a tensor. Numbers take torch's own path."""

from __future__ import annotations

from torch import Tensor

from trimtab.average.update import toward_
from trimtab.optim.update import Number


def ema_(average: Tensor, value: Tensor, beta: Number) -> None:
    """`a ← β a + (1−β) x`, in place."""
    if isinstance(beta, Tensor):
        average.mul_(beta).add_(value * (1 - beta))
    else:
        toward_(average, value, 1 - beta)


def ema_of_square_(average: Tensor, value: Tensor, beta: Number) -> None:
    """`a ← β a + (1−β) x²`, in place."""
    if isinstance(beta, Tensor):
        average.mul_(beta).add_(value * value * (1 - beta))
    else:
        average.mul_(beta).addcmul_(value, value, value=1 - beta)


def add_(x: Tensor, y: Tensor, factor: Number) -> None:
    """`x ← x + factor · y`, in place."""
    if isinstance(factor, Tensor):
        x.add_(y * factor)
    else:
        x.add_(y, alpha=factor)


def plus(x: Tensor, y: Tensor, factor: Number) -> Tensor:
    """`x + factor · y`."""
    return x + y * factor if isinstance(factor, Tensor) else x.add(y, alpha=factor)
