"""Normalisation between layers, and batch norms that another one replaces or that follow faster."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Call, Enactor

NORMS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm)
HEADS = {nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d, nn.Linear: nn.BatchNorm1d}


class NormalizeLayers(Enactor):
    """(x − x̄)/√(s² + ε) behind every hidden weight layer that no norm follows; γ = 1 and κ = 0 stay as they are.

    Without parameters of its own the norm changes neither the optimizer nor the script's checkpoints.
    """

    names = ("normalize-layers",)
    nothing_found = "no hidden layer without a norm was found among the modules"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._norms: dict[int, nn.Module] = {}
        self._by_batch = change.value == "batch"

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        parts = [m for m in model.modules() if isinstance(m, (nn.Linear, _ConvNd, *NORMS))]
        weights = [m for m in parts if not isinstance(m, NORMS)]
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            if isinstance(part, NORMS) or isinstance(following, NORMS) or part is weights[-1]:
                continue
            self._norms[id(part)] = self._norm(part)

    def _norm(self, layer: nn.Module) -> nn.Module:
        width = getattr(layer, "out_channels", None) or int(getattr(layer, "out_features", 0))
        kind = next((norm for head, norm in HEADS.items() if isinstance(layer, head)), None)
        if self._by_batch and kind is not None:
            return kind(width, affine=False)
        if isinstance(layer, _ConvNd):
            return nn.GroupNorm(1, width, affine=False)
        return nn.LayerNorm(width, elementwise_affine=False)

    def module_ends(self, call: Call) -> None:
        norm = self._norms.get(id(call.module))
        if norm is None or not isinstance(call.output, Tensor):
            return
        x = call.output
        if isinstance(norm, nn.BatchNorm1d) and isinstance(call.module, nn.Linear) and x.dim() > 2:
            norm = self._norms[id(call.module)] = nn.LayerNorm(x.shape[-1], elementwise_affine=False)
        norm.to(x.device).train(call.module.training)
        if norm.training and isinstance(norm, _BatchNorm) and x.numel() == x.shape[1]:
            norm.eval()  # one value a channel has no variance
        call.output = norm(x)
        self.done += 1


class ReplaceBatchNorm(Enactor):
    """Group norm (layer norm behind a linear layer) in the place of every batch norm, with its γ and κ."""

    names = ("replace-batch-norm",)
    nothing_found = "no batch norm was found among the modules"

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        for parent in list(model.modules()):
            for name, norm in list(parent.named_children()):
                if isinstance(norm, _BatchNorm):
                    setattr(parent, name, _without_batch(norm))
                    self.done += 1


class FollowStatistics(Enactor):
    """Running estimates of batch norms take a tenth of each batch: they span some twenty."""

    names = ("follow-statistics",)
    nothing_found = "no batch norm was found among the modules"

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        for norm in model.modules():
            if isinstance(norm, _BatchNorm):
                norm.momentum = self.change.number(0.1)
                self.done += 1


def _without_batch(norm: _BatchNorm) -> nn.Module:
    width = norm.num_features
    groups = next(g for g in (8, 4, 2, 1) if width % g == 0) if not isinstance(norm, nn.BatchNorm1d) else 1
    fresh = nn.GroupNorm(groups, width, eps=norm.eps, affine=norm.affine)
    fresh.weight, fresh.bias = norm.weight, norm.bias
    return fresh.train(norm.training)
