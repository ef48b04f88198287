"""The gradients that parameters hold, to be measured and changed in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def gradients(parameters: Tensor | Iterable[Tensor] | Iterable[dict[str, Any]]) -> list[list[Tensor]]:
    """The parameters that have a gradient, group by group; one group where the parameters come as tensors."""
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    groups: list[list[Any]] = [entry["params"] for entry in listed if isinstance(entry, dict)] or [listed]
    found = [[p for p in group if p.grad is not None] for group in groups]
    for i, p in enumerate(p for group in found for p in group):
        if p.grad.layout is not torch.strided:
            raise RuntimeError(
                f"gradient {i}, of shape {tuple(p.shape)}, is sparse and cannot be clipped: "
                "make its layer with sparse=False, or clip the other parameters only"
            )
    return found


def replace_(parameter: Tensor, gradient: Tensor) -> None:
    """Into the gradient's own memory, as others may hold it; not where several coordinates share one place in it."""
    old = parameter.grad
    assert old is not None
    if any(step == 0 and size > 1 for step, size in zip(old.stride(), old.shape, strict=True)):
        parameter.grad = gradient
    else:
        old.copy_(gradient)
