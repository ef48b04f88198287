"""Which weights are scaled by data, and to what size."""

from __future__ import annotations

from torch import nn

from trimtab.init.layers import RECURRENT, leaves, weight_layers
from trimtab.init.proportional import scalable
from trimtab.init.rules import Rules
from trimtab.init.uses import Use


def targets(model: nn.Module, scheme: str, uses: dict[str, Use], rules: Rules) -> dict[str, float]:
    """The size of the output that each layer is brought to: of "auto" and "lsuv" only, and of untied weights.

    "auto" leaves what reads a recurrent state alone: the state starts small, and grows as soon as training begins. So
    it leaves a recurrence by hand, and what is called in turn with it: what enters the state adds up over time.
    """
    if scheme not in ("auto", "lsuv"):
        return {}
    layers, tied = weight_layers(model), _tied(model)
    recurrent = {name for name, use in uses.items() if isinstance(layers[name], RECURRENT) or use.recurrent}
    recurrent = recurrent if scheme == "auto" else set()
    return {
        name: rules.shrink(use)
        for name, use in uses.items()
        if scalable(layers[name])
        and rules.shrink(use) > 0
        and not tied & _own(layers[name])
        and not (use.sources | {name}) & recurrent
    }


def _own(module: nn.Module) -> set[int]:
    return {id(p) for p in leaves(module, "weight")}


def _tied(model: nn.Module) -> set[int]:
    """Weights that more than one layer has."""
    seen: set[int] = set()
    twice: set[int] = set()
    for module in weight_layers(model).values():
        own = _own(module)
        twice |= seen & own
        seen |= own
    return twice
