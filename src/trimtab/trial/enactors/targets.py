"""Standardised targets in the script's own units: the model's output is turned back where it comes out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Call, Enactor


class _Restored(torch.autograd.Function):
    """z → σz + μ, with the gradient that the loss of z against (y − μ)/σ would have."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, mean: float, sd: float, power: int) -> Tensor:
        ctx.factor = sd ** (1 - power)
        return z * sd + mean

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        # Of a squared loss L(σz + μ, y) = σ² L(z, (y − μ)/σ): dL/dz is σ g, of the standardised loss σ g / σ².
        return gradients[0] * ctx.factor, None, None, None


class StandardizeTargets(Enactor):
    """The model learns (y − μ)/σ and puts out predictions in the script's own unit: losses stay comparable."""

    names = ("standardize-targets",)
    nothing_found = "no model is called as a module: standardise the targets in the script"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        parts = (change.value or "").split(":")
        try:
            self._mean, self._sd = float(parts[0]), float(parts[1])
        except (ValueError, IndexError):
            raise TrimtabError(
                f"{change}: give mean and sd of the targets, as in standardize-targets=180000:75000"
            ) from None
        self._power = 1 if parts[2:] == ["l1"] else 2

    def module_ends(self, call: Call) -> None:
        if call.root and isinstance(call.output, Tensor) and call.output.is_floating_point() and _has_weights(call):
            call.output = _Restored.apply(call.output, self._mean, self._sd, self._power)
            self.done += 1


def _has_weights(call: Call) -> bool:
    return next(call.module.parameters(), None) is not None
