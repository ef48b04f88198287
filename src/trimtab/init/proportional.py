"""The weight that a layer's output is proportional to, and its multiplication."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trimtab.init.layers import MATRICES, leaves, value, write


def owner_of(module: nn.Module) -> nn.Module | None:
    """The module that keeps the weight which a layer's output is proportional to."""
    if isinstance(module, nn.MultiheadAttention):
        return module.out_proj
    return module if isinstance(module, MATRICES) else None


def scalable(module: nn.Module) -> bool:
    """Whether a layer has a weight that its output is proportional to, and that may be changed."""
    owner = owner_of(module)
    own = leaves(owner, "weight") if owner is not None else []
    if owner is not None and "weight_orig" in owner._parameters:
        return False  # torch.nn.utils.spectral_norm divides the scale away again
    return bool(own) and all(p.requires_grad and not p.is_meta for p in own)


@torch.no_grad()  # a model may turn gradients on by itself
def multiply(module: nn.Module, name: str, by: float) -> bool:
    """Multiply a layer's weight; False, and nothing done, where a parametrisation or the precision forbids it."""
    owner = owner_of(module)
    before = None if owner is None else value(owner, "weight")
    if owner is None or before is None:
        return False
    before = before.clone()
    write(owner, "weight", before * by, name)
    if not _took(before, value(owner, "weight"), by):
        write(owner, "weight", before, name)
        return False
    return True


def _took(before: Tensor, after: Tensor | None, by: float) -> bool:
    """Whether a weight has been multiplied, to the precision of its dtype."""
    if after is None:
        return False
    was, got = (float(w.abs().double().norm()) for w in (before, after))
    return abs(got - by * was) <= 0.05 * by * was
