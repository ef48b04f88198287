"""Whole models from torch's normalisation layers to trimtab's and back, exactly or not at all."""

from __future__ import annotations

import math
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from trimtab.nn.batch_norm import OPTIONS, BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from trimtab.nn.layer_norm import LayerNorm
from trimtab.nn.sync_batch_norm import SyncBatchNorm

Model = TypeVar("Model", bound=nn.Module)

TO_TRIMTAB: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: BatchNorm1d,
    nn.BatchNorm2d: BatchNorm2d,
    nn.BatchNorm3d: BatchNorm3d,
    nn.SyncBatchNorm: SyncBatchNorm,
    nn.LayerNorm: LayerNorm,
}
TO_TORCH = {ours: torchs for torchs, ours in TO_TRIMTAB.items()}


def convert(model: Model, to: Literal["trimtab", "torch"] = "trimtab", *, for_evaluation: bool = False) -> Model:
    """Change the class of every normalisation layer of the model, in place; returns the model.

    The layers stay the same objects: parameters, buffers, hooks, training flag, device and type are untouched, and an
    optimizer that holds the parameters goes on. Layers of other classes (subclasses with a forward of their own, lazy
    ones that have seen no input) are left as they are. Nothing is changed when an error is raised.

    To trimtab the outputs are the same, always. To torch:

    | layer | exact form |
    |---|---|
    | biased normaliser (and unbiased running variance) | the same |
    | layer norm, unbiased | γ·√((d−1)/d), ε·(d−1)/d; without γ in evaluation only, where a fixed γ is added |
    | batch norm, unbiased normaliser or biased running variance | in evaluation only |

    Args:
        model: also a single layer.
        to: whose layers.
        for_evaluation: the model will not be trained further, so that what is exact in evaluation is enough.

    Raises:
        ValueError: a layer has no exact form in torch, or is inside `merged_statistics`; its name, why, what to do.

    What torch has no form for and drops is how a layer meets bad batches: `single`, `on_nonfinite`.

    >>> torch_layer = convert(LayerNorm(4, variance="unbiased"), to="torch")
    >>> type(torch_layer).__module__, round(torch_layer.eps * 1e5, 2)
    ('torch.nn.modules.normalization', 0.75)
    """
    if to not in ("trimtab", "torch"):
        raise ValueError(f'convert: to={to!r}, expected "trimtab" or "torch"')
    classes = TO_TRIMTAB if to == "trimtab" else TO_TORCH
    layers = {name: layer for name, layer in model.named_modules() if type(layer) in classes}
    if to == "torch":
        for name, layer in layers.items():
            _check_exact(model, name or type(layer).__name__, layer, for_evaluation)
    for layer in layers.values():
        if to == "torch" and isinstance(layer, LayerNorm):
            _fold_unbiased(layer, next(model.parameters(), torch.empty(0)))
        for option in (*OPTIONS, "pending") if to == "torch" else ():
            vars(layer).pop(option, None)
        setattr(layer, "__class__", classes[type(layer)])  # noqa: B010, the type checker knows no change of class
    return model


def _check_exact(model: nn.Module, name: str, layer: nn.Module, for_evaluation: bool) -> None:
    """Raise unless torch has a layer that computes the same."""
    if isinstance(layer, BatchNorm) and layer.pending is not None:
        raise ValueError(f"convert: {name}: it is inside merged_statistics, which torch's layers know not; leave that")
    if isinstance(layer, BatchNorm) and not for_evaluation:
        for option, torchs in (("variance", "biased"), ("running_variance", "unbiased")):
            if getattr(layer, option) != torchs:
                raise _refusal(name, f'{option}={getattr(layer, option)!r} where torch has "{torchs}" in training')
    if isinstance(layer, LayerNorm) and layer.variance == "unbiased":
        if layer.weight is None and not for_evaluation:
            raise _refusal(name, "an unbiased layer norm needs a factor √((d−1)/d), and there is no weight to take it")
        if layer.weight is not None and _owners(model, layer.weight) > 1:
            raise ValueError(
                f"convert: {name}: its weight would be multiplied by √((d−1)/d), and another module has the same one: "
                "give each its own"
            )


def _refusal(name: str, reason: str) -> ValueError:
    return ValueError(
        f"convert: {name}: {reason}; no torch layer computes the same. For evaluation alone there is an exact form: "
        "convert(model, to='torch', for_evaluation=True)"
    )


def _owners(model: nn.Module, parameter: nn.Parameter) -> int:
    return sum(own is parameter for module in model.modules() for own in module._parameters.values())


def _fold_unbiased(layer: LayerNorm, like: Tensor) -> None:
    """`(x − x̄)/√(s² d/(d−1) + ε) = √((d−1)/d) · (x − x̄)/√(s² + ε (d−1)/d)`: the factor to γ, the other to ε."""
    if layer.variance == "unbiased":
        share = 1 - 1 / math.prod(layer.normalized_shape)
        layer.eps *= share
        if layer.weight is None:
            layer.weight = nn.Parameter(like.new_ones(layer.normalized_shape), requires_grad=False)
            layer.elementwise_affine = True
        with torch.no_grad():
            layer.weight.mul_(math.sqrt(share))
