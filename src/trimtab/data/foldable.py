"""The layers that a standardiser can be folded into: which they are, and values put into a copy of one."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize

Foldable = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
FORWARDS = tuple(kind.forward for kind in (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d))
INSTEAD = "leave the standardiser as a layer of the model"


def foldable(layer: nn.Module, where: str) -> Foldable:
    """The layer itself, if its weights can be set.

    Raises:
        TypeError: they cannot: another kind of layer, a forward of its own, weights that are computed, not known yet,
            or not real.
    """
    if not isinstance(layer, Foldable) or isinstance(layer, LazyModuleMixin):
        raise TypeError(f"{where}: got {type(layer).__name__}; expected Linear, Conv1d, Conv2d or Conv3d; {INSTEAD}")
    if type(layer).forward not in FORWARDS:
        raise TypeError(
            f"{where}: got {type(layer).__name__}, which has a forward of its own; expected one that is linear in its "
            f"weights; {INSTEAD}"
        )
    if parametrize.is_parametrized(layer) or not isinstance(layer._parameters.get("weight"), nn.Parameter):
        raise TypeError(f"{where}: the weights of this {type(layer).__name__} are computed; remove the parametrisation")
    if not layer.weight.is_floating_point():
        raise TypeError(f"{where}: got {layer.weight.dtype} weights; expected real floating-point ones; {INSTEAD}")
    return layer


def inputs(layer: Foldable) -> int:
    """The number of features or channels that the layer takes."""
    return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def pads_with_zeros(layer: Foldable) -> bool:
    """Whether the layer invents zeros beyond the border of its input."""
    if isinstance(layer, nn.Linear) or layer.padding_mode != "zeros" or layer.padding == "valid":
        return False
    return any(size > 1 for size in layer.kernel_size) if layer.padding == "same" else any(layer.padding)


def bias_of(layer: Foldable) -> Tensor:
    """The bias in float64; zeros where there is none."""
    return layer.weight.new_zeros(len(layer.weight)).double() if layer.bias is None else layer.bias.detach().double()


def rounded(values: Tensor, dtype: torch.dtype, axes: tuple[int, ...]) -> Tensor:
    """Float64 values in `dtype`, if it can hold them: by half a unit of the largest over `axes`.

    Raises:
        ValueError: some would overflow, or lose their digits below the smallest normal number.
    """
    result = values.to(dtype)
    error, size = (v.abs().amax(axes) for v in (result.double() - values, values))
    if not bool((error <= torch.finfo(dtype).eps * size).all()):
        low, high = float(size[size > 0].min()), float(size.max())
        raise ValueError(f"fold: weights from {low:.3g} to {high:.3g} are out of the range of {dtype}; {INSTEAD}")
    return result


def remade(layer: Foldable, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """A copy of the layer with other values, which it takes in its own dtype."""
    made = copy.deepcopy(layer)
    for name, values in (("weight", weight), ("bias", bias)):
        taken = None if values is None else nn.Parameter(values.to(layer.weight.dtype), layer.weight.requires_grad)
        made.register_parameter(name, taken)
    return made
