"""Gradients between backward and step: clipped, less clipped, or cleared after use."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from trimtab.clip import by_norm_, by_value_
from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Enactor


def gradients(optimizer: Optimizer) -> list[Tensor]:
    """The optimizer's parameters that have one."""
    return [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]


class Clip(Enactor):
    """By the norm over all parameters of the optimizer, or by value, before each step."""

    names = ("clip-by-norm", "clip-by-value")
    nothing_found = "no optimizer stepped"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._threshold = change.number(1.0)
        self._clip = by_norm_ if change.name == "clip-by-norm" else by_value_

    def gradients_ready(self, optimizer: Optimizer) -> None:
        params = gradients(optimizer)
        if params:
            scale = getattr(optimizer, "grad_scale", None)  # a fused optimizer divides by it only in its step
            self._clip(params, self._threshold * (float(scale) if isinstance(scale, torch.Tensor) else 1.0))
            self.done += 1


class ClearGradients(Enactor):
    """`zero_grad` after each step."""

    names = ("clear-gradients",)
    nothing_found = "no optimizer stepped: clear the gradients where the script updates its weights"

    def step_ends(self, optimizer: Optimizer) -> None:
        optimizer.zero_grad()
        self.done += 1


class LoosenClipping(Enactor):
    """The script's own clipping, at a threshold of at least so much."""

    names = ("loosen-clipping",)
    nothing_found = "the script does not clip by torch.nn.utils: raise the threshold where it clips"

    def clipping(self, function: str, threshold: float) -> float:
        self.done += 1
        return max(float(threshold), self.change.number(1.0))
