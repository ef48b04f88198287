"""The gradients that parameters hold, to be measured and changed in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def gradients(parameters: Tensor | Iterable[Tensor] | Iterable[dict[str, Any]]) -> list[list[Tensor]]:
    """The parameters that have a gradient, each once, group by group; one group where they come as tensors."""
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    groups = [entry["params"] for entry in listed if isinstance(entry, dict)] or [listed]
    seen: set[Tensor] = set()
    found = [_new([group] if isinstance(group, Tensor) else group, seen) for group in groups]
    for i, p in enumerate(p for group in found for p in group):
        if p.grad.layout is not torch.strided:
            raise RuntimeError(
                f"gradient {i}, of shape {tuple(p.shape)}, is sparse and cannot be clipped: "
                "make its layer with sparse=False, or clip the other parameters only"
            )
    return found


def _new(parameters: Iterable[Any], seen: set[Tensor]) -> list[Any]:
    """Those with a gradient that are not in `seen`, to which they are added: tied weights may be listed twice."""
    new: list[Any] = []
    for p in parameters:
        if not isinstance(p, Tensor):
            raise TypeError(
                f"expected tensors, as model.parameters(), or an optimizer's param_groups, not a {type(p).__name__}"
            )
        if p.grad is not None and p not in seen:
            seen.add(p)
            new.append(p)
    return new


def replace_(parameter: Tensor, gradient: Tensor) -> None:
    """Into the gradient's own memory, as others may hold it; not where several coordinates share one place in it."""
    old = parameter.grad
    assert old is not None
    if any(step == 0 and size > 1 for step, size in zip(old.stride(), old.shape, strict=True)):
        parameter.grad = gradient
    else:
        old.copy_(gradient)
