"""A standardiser folded into the layer beside it, so that a deployed model takes raw data and predicts in raw units."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor, nn

from trimtab.data.foldable import INSTEAD, Foldable, bias_of, foldable, inputs, pads_with_zeros, remade, rounded
from trimtab.data.shift import Shift

if TYPE_CHECKING:
    from trimtab.data.statistics import FeatureStatistics

Keep = Literal["auto", "fold", "keep"]


def fold_into(
    standardizer: FeatureStatistics, layer: nn.Module, *, shift: Keep = "auto", limit: float | None = None
) -> nn.Module:
    """`W ← W/σ, b ← b − Wμ/σ`, in float64: a copy of `layer` that takes raw inputs.

    The bias is that of the rounded W/σ, so that the rounding of a weight is not multiplied by μ. What is left, with
    u = ε/2 of the layer's dtype and z = (x − μ)/σ: a term `W x/σ` of the sum is as large as `|W| (|μ|/σ + |z|)` and is
    rounded by up to u times that, the bias by up to `u Σ |W| |μ|/σ`. Either is as if every standardised input were
    off by `u |μ|/σ` deviations. `limit` bounds |μ|/σ; by default 1/√ε, so that half of the digits of the dtype remain
    (2896 in float32, 32 in float16, 11 in bfloat16).

    A convolution that padded standardised inputs with 0, which is raw μ, would pad raw inputs with raw 0: at its
    border the shift cannot be folded either. Other padding modes, and no padding, fold exactly.

    Args:
        standardizer: fitted, with the features where `layer` has its inputs: −1 (or None) for Linear, 1 or the same
            counted from the end (or None) for convolutions.
        layer: Linear, Conv1d, Conv2d or Conv3d, grouped ones too; it stays as it is.
        shift: "auto" keeps the shift as a layer where it cannot be folded exactly; "fold" raises there; "keep" folds
            σ alone.
        limit: the largest |μ|/σ that is folded.

    Returns: the folded layer, which has a bias if any μ ≠ 0; or `Sequential(shift=Shift(μ), layer=…)`.

    Raises:
        TypeError: another kind of layer, one with a forward of its own or with parametrised weights.
        ValueError: features and inputs differ; `shift="fold"` and it is not exact; a folded weight is out of the
            range of the dtype.
    """
    if shift not in get_args(Keep):
        raise ValueError(f"fold_into: got shift={shift!r}; expected auto, fold or keep")
    target = foldable(layer, "fold_into")
    standardizer.must_suffice("fold_into")
    _check_inputs(standardizer, target)
    mean, scale = (values.expand(inputs(target)) for values in (standardizer.mean, standardizer.scale))
    why = _inexact(mean / scale, target.weight.dtype, limit) or _border(target, mean)
    if why and shift == "fold":
        raise ValueError(f"fold_into: {why}; say shift='auto' to keep the shift as a layer, or {INSTEAD}")
    if not why and shift != "keep":
        return _folded(target, mean, scale)
    kept = Shift(standardizer.mean, standardizer.dim)
    return nn.Sequential(OrderedDict(shift=kept, layer=_folded(target, torch.zeros_like(mean), scale)))


def fold_inverse_into(standardizer: FeatureStatistics, layer: nn.Module, *, limit: float | None = None) -> nn.Module:
    """`W ← σ W, b ← σ b + μ`, in float64: a copy of `layer` that predicts in the unit of the targets.

    Its outputs are rounded to the layer's dtype, by up to `u |μ|/σ` deviations; `limit` bounds |μ|/σ as in `fold_into`.

    Args:
        standardizer: fitted on the targets, which are where `layer` has its outputs: the `dim` as in `fold_into`.
        layer: the last one of the model, of the kinds that `fold_into` takes; it stays as it is.
        limit: the largest |μ|/σ that is folded.

    Raises:
        TypeError: another kind of layer, one with a forward of its own or with parametrised weights.
        ValueError: targets and outputs differ in number or dimension, |μ|/σ exceeds `limit`, or a folded weight is out
            of range.
    """
    target = foldable(layer, "fold_inverse_into")
    standardizer.must_suffice("fold_inverse_into")
    weight = target.weight.detach().double()
    targets, outputs = standardizer.mean.numel(), len(weight)
    _check_dim(standardizer, target, "fold_inverse_into", "outputs")
    if standardizer.dim is not None and targets != outputs:
        raise ValueError(f"fold_inverse_into: got {targets} targets; expected {outputs}, one an output of the layer")
    mean, scale = (values.expand(outputs) for values in (standardizer.mean, standardizer.scale))
    if why := _inexact(mean / scale, target.weight.dtype, limit):
        raise ValueError(f"fold_inverse_into: {why}; apply standardizer.inverse to the outputs instead")
    rows = rounded(weight.flatten(1) * scale[:, None], target.weight.dtype, (1,))
    bias = rounded(bias_of(target) * scale + mean, target.weight.dtype, (0,))
    return remade(target, rows.view_as(weight), bias)


def _check_inputs(standardizer: FeatureStatistics, layer: Foldable) -> None:
    """The features of the standardiser are the inputs of the layer."""
    _check_dim(standardizer, layer, "fold_into", "inputs")
    features = standardizer.mean.numel()
    if standardizer.dim is not None and features != inputs(layer):
        raise ValueError(
            f"fold_into: got a standardizer of {features} features; expected as many as the layer has inputs, "
            f"{inputs(layer)}; {INSTEAD}"
        )


def _check_dim(standardizer: FeatureStatistics, layer: Foldable, where: str, what: str) -> None:
    """The features lie in the dimension in which the layer has its inputs and outputs."""
    allowed = (None, -1) if isinstance(layer, nn.Linear) else (None, 1, 1 - layer.weight.ndim)
    if standardizer.dim not in allowed:
        raise ValueError(
            f"{where}: got a standardizer with dim={standardizer.dim}; a {type(layer).__name__} has its {what} in "
            f"dimension {' or '.join(map(str, allowed[1:]))}; fit one with that dim, or {INSTEAD}"
        )


def _inexact(ratio: Tensor, dtype: torch.dtype, limit: float | None) -> str:
    """Why the shift cannot be folded in this dtype; empty where it can."""
    bound = torch.finfo(dtype).eps ** -0.5 if limit is None else limit
    worst = int(ratio.abs().argmax())
    size = float(ratio[worst].abs())
    return "" if size <= bound else f"|μ|/σ = {size:.3g} in feature {worst} is more than {dtype} can fold ({bound:.3g})"


def _border(layer: Foldable, mean: Tensor) -> str:
    """Why padding forbids to fold the shift; empty where it does not."""
    wrong = pads_with_zeros(layer) and bool(mean.any())
    return "the layer pads with 0, which raw is not the mean: its border would be wrong" if wrong else ""


def _folded(layer: Foldable, mean: Tensor, scale: Tensor) -> nn.Module:
    """The layer on `σ z + μ` for what it was on z."""
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    weight = layer.weight.detach().double()
    rows = weight.reshape(groups, len(weight) // groups, weight.shape[1], -1)  # [G, out/G, in/G, kernel]
    rows = rounded(rows / scale.view(groups, 1, -1, 1), layer.weight.dtype, (1, 3))
    if layer.bias is None and not bool(mean.any()):
        return remade(layer, rows.view_as(weight), None)
    carried = (rows.double() * mean.view(groups, 1, -1, 1)).sum((2, 3)).flatten()
    return remade(layer, rows.view_as(weight), rounded(bias_of(layer) - carried, layer.weight.dtype, (0,)))
