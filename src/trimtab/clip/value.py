"""Clip by value: each coordinate of the gradient on its own, which changes its direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from trimtab.clip.gradients import gradients, replace_
from trimtab.clip.length import as_real


@dataclass(frozen=True)
class ClipByValue:
    """`gᵢ ← min(max(gᵢ, −c), c)`: the `clip=` of an optimizer.

    `max_value` is c, in the gradient's unit. Of a complex gradient the real and the imaginary part are two coordinates.
    An infinite coordinate becomes ±c and NaN stays NaN: let the optimizer's `on_nonfinite` stop them, it looks first.
    """

    max_value: float

    def __post_init__(self) -> None:
        if not self.max_value >= 0:
            raise ValueError(f"max_value is a bound on |g| and cannot be {self.max_value}: give a number >= 0")

    def bound(self, gradient: Tensor) -> Tensor:
        """The gradient with each coordinate in [−c, c]."""
        clipped = as_real(gradient).clamp(-self.max_value, self.max_value)
        return torch.view_as_complex(clipped) if gradient.is_complex() else clipped


def by_value_(parameters: Tensor | Iterable[Tensor] | Iterable[dict[str, Any]], max_value: float) -> None:
    """Clips each coordinate of the gradients in place: `gᵢ ← min(max(gᵢ, −c), c)`.

    `parameters` are tensors, or an optimizer's `param_groups`. Raises RuntimeError on a sparse gradient.

    >>> w = torch.nn.Parameter(torch.zeros(3))
    >>> w.grad = torch.tensor([3.0, -0.5, -4.0])
    >>> by_value_([w], 1.0); w.grad
    tensor([ 1.0000, -0.5000, -1.0000])

    Differs from torch's `clip_grad_value_` in that it takes complex gradients, part by part.
    """
    clip = ClipByValue(max_value)
    with torch.no_grad():
        for p in (p for group in gradients(parameters) for p in group):
            replace_(p, clip.bound(cast(Tensor, p.grad)))
