"""Where the first NaN or Inf came from: read in the graph that is still alive when the loss turns out not finite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trimtab.watching.graph import Survey, layer_input, saved, sequence_number
from trimtab.watching.ops import short_name

# Operations that leave their domain, recomputed from what they saved: the result itself is not kept.
_RECOMPUTE: dict[str, Callable[[Any], Tensor | None]] = {
    "Log": lambda node: _apply(torch.log, saved(node, "self")),
    "Log2": lambda node: _apply(torch.log2, saved(node, "self")),
    "Log10": lambda node: _apply(torch.log10, saved(node, "self")),
    "Log1P": lambda node: _apply(torch.log1p, saved(node, "self")),
    "Sqrt": lambda node: saved(node, "result"),
    "Rsqrt": lambda node: saved(node, "result"),
    "Exp": lambda node: saved(node, "result"),
    "Reciprocal": lambda node: saved(node, "result"),
    "Acos": lambda node: _apply(torch.acos, saved(node, "self")),
    "Asin": lambda node: _apply(torch.asin, saved(node, "self")),
    "MseLoss": lambda node: _squared(saved(node, "self"), saved(node, "target")),
    "Pow": lambda node: saved(node, "result"),
    "Div": lambda node: _reciprocal(saved(node, "other")),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """`phase`: data (entering the model), weights (already not finite), forward (an operation made it), unknown."""

    phase: str
    operation: str
    layer: Any = None
    param: Tensor | None = None
    value: str = "NaN"


def find_origin(found: Survey, nodes: list[Any]) -> Origin:
    """The first place in execution order where a value is not finite; `nodes` are those of the graph."""
    for layer in found.layers:
        entering = layer_input(layer) if layer.entry else None
        if entering is not None and not _finite(entering):
            return Origin("data", short_name(layer.node.name()).lower(), layer=layer, value=_kind(entering))
    for p in found.params.values():
        if not _finite(p.detach()):
            return Origin("weights", "update", param=p, value=_kind(p.detach()))
    layers = {id(layer.node): layer for layer in found.layers}
    nearest = None
    for node in sorted((n for n in nodes if not n.name().endswith("AccumulateGrad")), key=sequence_number):
        name = short_name(node.name())
        nearest = layers.get(id(node), nearest)
        made = _RECOMPUTE[name](node) if name in _RECOMPUTE else saved(node, "result")
        if made is not None and not _finite(made):
            return Origin("forward", name.lower(), layer=nearest, value=_kind(made))
    return Origin("unknown", "")


def _finite(x: Tensor) -> bool:
    return bool(torch.isfinite(x).all())


def _kind(x: Tensor) -> str:
    return "NaN" if bool(torch.isnan(x).any()) else "Inf"


def _apply(function: Callable[[Tensor], Tensor], x: Tensor | None) -> Tensor | None:
    return None if x is None else function(x)


def _squared(prediction: Tensor | None, target: Tensor | None) -> Tensor | None:
    return None if prediction is None or target is None else (prediction - target).square()


def _reciprocal(x: Tensor | None) -> Tensor | None:
    return None if x is None or not x.is_floating_point() else 1 / x
