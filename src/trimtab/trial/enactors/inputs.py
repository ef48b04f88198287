"""Data as they enter the first layers: standardised, or filled in where they are not finite."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from trimtab.core.recipe import Change
from trimtab.methods.moments import Moments
from trimtab.trial.enactors.base import Call, Enactor

BATCHES = 20  # training batches from which mean and sd are taken, in one pass; then they are frozen


def fed(call: Call) -> Tensor | None:
    """The tensor that enters a weight layer without a gradient history: data, as the watcher sees them."""
    module = call.module
    if not isinstance(module, (nn.Linear, nn.Bilinear, _ConvNd, nn.RNNBase, nn.RNNCellBase)) or not call.args:
        return None
    x = call.args[0]
    plain = isinstance(x, Tensor) and x.is_floating_point() and x.grad_fn is None and not x.requires_grad
    return x if plain and x.dim() > 1 and x.numel() else None


class StandardizeInputs(Enactor):
    """x ← (x − μ) / σ per feature where data enter a layer, μ and σ from the first training batches."""

    names = ("standardize-inputs",)
    nothing_found = "no module is fed with data: the weights are used by functions; standardise the data in the script"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._moments: dict[int, tuple[Moments | None, int]] = {}

    def module_begins(self, call: Call) -> None:
        x = fed(call)
        key = id(call.module)
        if x is None or not (call.training or key in self._moments):
            return
        known, batches = self._moments.get(key, (None, 0))
        axis = 1 if isinstance(call.module, _ConvNd) and x.dim() > 2 else -1
        if call.training and batches < BATCHES:
            rows = x.detach().double().movedim(axis, -1).reshape(-1, x.shape[axis])
            fresh = Moments.of(rows, 0)
            known = fresh if known is None else known.merge(fresh)
            self._moments[key] = (known, batches + 1)
            self.done += 1
        if known is not None:
            shape = [1] * x.dim()
            shape[axis] = x.shape[axis]
            sd = known.variance().sqrt()
            sd = torch.where(sd > 1e-8 * (1 + known.mean.abs()), sd, 1.0)
            y = (x.double() - known.mean.view(shape)) / sd.view(shape)
            call.args = (y.to(x.dtype), *call.args[1:])


class CleanData(Enactor):
    """NaN and Inf in the data are filled with 0 where they enter a layer."""

    names = ("clean-data",)
    nothing_found = "no data that are not finite entered a module"

    def module_begins(self, call: Call) -> None:
        x = fed(call)
        if x is not None and not torch.isfinite(x).all():
            self.done += 1
            call.args = (torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0), *call.args[1:])
