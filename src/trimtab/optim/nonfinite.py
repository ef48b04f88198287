"""Inf and NaN in gradients: where they are, found with one wait for the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from trimtab.optim.naming import name_of


def nonfinite(groups: Sequence[Mapping[str, Any]]) -> list[Tensor]:
    """The parameters whose gradient has inf or NaN."""
    params = [p for group in groups for p in group["params"] if p.grad is not None]
    if not params:
        return []
    grads = [cast(Tensor, p.grad) for p in params]
    finite = torch.stack([torch.isfinite(g).all().to(grads[0].device) for g in grads])
    return [p for p, whole in zip(params, finite.tolist(), strict=True) if not whole]


def describe(bad: Sequence[Tensor], groups: Sequence[Mapping[str, Any]]) -> str:
    """The first of them by number and name, how many, and what to do."""
    return (
        f"the gradient of {name_of(bad[0], groups)} has inf or NaN, the first of {len(bad)} such; no weight was "
        'changed. Look for its source, or pass on_nonfinite="skip" to leave such steps out'
    )
