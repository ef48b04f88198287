"""How many inputs make one output, and how many outputs one input goes to."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn

from trimtab.init.layers import CONVS, RECURRENT, TABLES, TRANSPOSED


class Fans(NamedTuple):
    """Connections per output unit and per input unit; means, so not always whole numbers."""

    fan_in: float
    fan_out: float


def fans(
    layer: Tensor | nn.Module,
    name: str | None = None,
    *,
    groups: int = 1,
    transposed: bool = False,
    stride: int | tuple[int, ...] = 1,
) -> Fans:
    """Fan-in and fan-out of a weight, as the layer uses it.

    Linear `[out, in]`: `(in, out)`. Convolution `[out, in/groups, *k]`: `(in/groups · ∏k, out/groups · ∏k / ∏stride)`.
    Transposed convolution `[in, out/groups, *k]`: `(in/groups · ∏k / ∏stride, out/groups · ∏k)`: a stride spreads the
    inputs out, so that each output meets a part of the kernel only. Embedding `[rows, d]`: `(1, d)`, since one row
    makes the output. Bilinear `[out, m, n]`: `(mn, out · √(mn))`. Recurrent and packed attention weights count one gate
    or projection: `weight_ih_l0` of an LSTM `[4H, I]`: `(I, H)`. Padding is left out of account.

    Args:
        layer: a layer, whose groups, stride and direction are taken from it, or a weight of 2 dimensions or more.
        name: the parameter of a layer that has several, as "weight_hh_l0" or "in_proj_weight".
        groups: of a convolution whose weight is given as a tensor.
        transposed: likewise, whether it is a transposed one.
        stride: likewise, in each direction or the same in all.

    Raises:
        TypeError: a layer of unknown kind. ValueError: a weight of fewer than 2 dimensions, or groups that do not
            divide it.

    Differs from torch: `nn.init` takes the fans of a transposed convolution for each other, divides by groups in the
    fan-in only, and knows no stride, embedding or gate.

    >>> fans(nn.ConvTranspose2d(8, 16, 4, stride=2, groups=2))
    Fans(fan_in=16.0, fan_out=128.0)
    """
    if isinstance(layer, Tensor):
        return _of_weight(tuple(layer.shape), groups, transposed, (stride,) if isinstance(stride, int) else stride)
    if isinstance(layer, (*CONVS, *TRANSPOSED)):
        shape = tuple(layer.weight.shape)
        return _of_weight(shape, layer.groups, isinstance(layer, TRANSPOSED), tuple(layer.stride))
    if isinstance(layer, nn.Linear):
        return Fans(float(layer.in_features), float(layer.out_features))
    if isinstance(layer, TABLES):
        return Fans(1.0, float(layer.embedding_dim))
    if isinstance(layer, nn.Bilinear):
        pairs = layer.in1_features * layer.in2_features
        return Fans(float(pairs), layer.out_features * math.sqrt(pairs))
    if isinstance(layer, RECURRENT):
        return _recurrent(layer, name or ("weight_ih_l0" if isinstance(layer, nn.RNNBase) else "weight_ih"))
    if isinstance(layer, nn.MultiheadAttention):
        return _attention(layer, name or "out_proj.weight")
    raise TypeError(
        f"fans: {type(layer).__name__} has no known weight layout; pass its weight, with groups= and transposed="
    )


def _of_weight(shape: tuple[int, ...], groups: int, transposed: bool, stride: tuple[int, ...]) -> Fans:
    if len(shape) < 2:
        raise ValueError(f"fans: a weight of shape {list(shape)} has no fans; expected [out, in, ...]")
    if groups < 1 or shape[0] % groups:
        raise ValueError(f"fans: groups={groups} does not divide the {shape[0]} channels of a weight of {list(shape)}")
    dims = len(shape) - 2
    kernel = float(math.prod(shape[2:]))
    spread = float(stride[0] ** dims if len(stride) == 1 else math.prod(stride))
    first, second = shape[0] // groups * kernel, shape[1] * kernel
    return Fans(first / spread, second) if transposed else Fans(second, first / spread)


def _recurrent(layer: nn.RNNBase | nn.RNNCellBase, name: str) -> Fans:
    rows, columns = _matrix(layer, name)
    return Fans(float(columns), float(rows if name.startswith("weight_hr") else layer.hidden_size))


def _attention(layer: nn.MultiheadAttention, name: str) -> Fans:
    rows, columns = _matrix(layer, name)
    return Fans(float(columns), float(rows // 3 if name == "in_proj_weight" else rows))


def _matrix(layer: nn.Module, name: str) -> tuple[int, int]:
    weight = dict(layer.named_parameters()).get(name)
    if weight is None or weight.dim() != 2:
        raise ValueError(f"fans: {type(layer).__name__} has no matrix {name!r}")
    return weight.shape[0], weight.shape[1]
