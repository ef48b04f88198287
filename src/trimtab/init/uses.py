"""What follows each weight layer, as the model runs or, without an example, as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from torch import nn

from trimtab.init.calls import Trace
from trimtab.init.gains import gain, name_of
from trimtab.init.layers import weight_layers
from trimtab.init.signals import gain_of

Activation = str | nn.Module | Callable[..., Any] | None

_TRANSFORMER = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


@dataclass(frozen=True, slots=True)
class Use:
    """A weight layer in its model: its activation, that one's gain, and whether it ends a residual branch."""

    activation: str = "linear"
    gain: float = 1.0
    residual: bool = False
    closing_norm: str | None = None
    calls: int = 1
    recurrent: bool = False  # called in turn with a layer that carries a state
    sources: frozenset[str] = frozenset()  # the layers that feed it


def in_execution_order(seen: Trace) -> dict[str, Use]:
    """Layers in the order of their first call; of several calls, the first with an activation tells it."""
    uses: dict[str, Use] = {}
    for call in seen.calls:
        sources = frozenset(seen.calls[i].layer for i in call.sources)
        use = Use("linear", 1.0, call.residual, call.closing_norm, sources=sources)
        if call.names:
            use = replace(use, activation="·".join(call.names), gain=gain_of(call.factors, call.names))
        before = uses.get(call.layer)
        if before is not None:
            chosen = before if before.activation != "linear" else use
            use = replace(chosen, calls=before.calls + 1, residual=before.residual or use.residual)
            use = replace(use, sources=before.sources | sources)
        uses[call.layer] = use
    return uses


def in_definition_order(model: nn.Module, otherwise: Activation = None) -> dict[str, Use]:
    """Layers as they are defined: the activation is the next one defined before the next layer.

    A container that is no sequence and defines one activation applies it after each of its layers, but not after the
    last of the model. torch's transformer layers say themselves. A layer with none found gets `otherwise`, except the
    last of the model.
    """
    layers = weight_layers(model)
    found = _adjacent(model, layers)
    for name, last in _with_last(list(layers)):
        if name not in found and not last:
            activation = _only_one(model.get_submodule(name.rpartition(".")[0])) or otherwise
            if activation is not None:
                found[name] = activation
    found, residual = {**found, **_of_transformers(model)}, _branch_ends(model)
    return {name: _use(found.get(name), name in residual) for name in layers}


def carries_a_state(module: nn.Module, name: str, use: Use) -> bool:
    """A recurrence written by hand: what a square layer puts out enters it again at the next call."""
    return isinstance(module, nn.Linear) and module.in_features == module.out_features and name in use.sources


def marked_recurrent(layers: Mapping[str, nn.Module], uses: Mapping[str, Use]) -> dict[str, Use]:
    """The same, with the layers marked that carry a state or are called in turn with one that does."""
    turns = {use.calls for name, use in uses.items() if carries_a_state(layers[name], name, use)}
    return {name: replace(use, recurrent=use.calls in turns) for name, use in uses.items()}


def _use(activation: Activation, residual: bool) -> Use:
    if activation is None:
        return Use(residual=residual)
    return Use(name_of(activation), gain(activation), residual)


def _with_last(names: list[str]) -> list[tuple[str, bool]]:
    return [(name, place == len(names) - 1) for place, name in enumerate(names)]


def _adjacent(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, Any]:
    """Layers whose next neighbour among layers and activations is an activation."""
    order = [(name, m) for name, m in model.named_modules() if name in layers or _is_activation(m)]
    return {name: m for (name, _), (_, m) in pairwise(order) if name in layers and _is_activation(m)}


def _is_activation(module: nn.Module) -> bool:
    return type(module).__module__ == "torch.nn.modules.activation" and not isinstance(module, nn.MultiheadAttention)


def _only_one(parent: nn.Module) -> nn.Module | None:
    if isinstance(parent, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
        return None
    own = [m for m in parent.children() if _is_activation(m)]
    return own[0] if len({repr(m) for m in own}) == 1 else None


def _of_transformers(model: nn.Module) -> dict[str, Any]:
    blocks = {name: m for name, m in model.named_modules() if isinstance(m, _TRANSFORMER)}
    return {_inner(name, "linear1"): block.activation for name, block in blocks.items()}


def _branch_ends(model: nn.Module) -> set[str]:
    blocks = [name for name, m in model.named_modules() if isinstance(m, _TRANSFORMER)]
    return {_inner(name, end) for name in blocks for end in ("self_attn", "multihead_attn", "linear2")}


def _inner(name: str, child: str) -> str:
    return f"{name}.{child}" if name else child
