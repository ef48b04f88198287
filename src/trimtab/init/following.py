"""How each kind of operation passes a signal on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trimtab.init.signals import (
    FACTORIES,
    MOVES,
    PRODUCTS,
    SPECIAL,
    SUMS,
    Function,
    Signal,
    activated,
    merged,
    replayed,
)

Carried = list[tuple[Tensor, Signal]]

_POINTWISE_TOO = frozenset(
    {"hardswish", "prelu_kernel", "leaky_relu"}
)  # to torch too, but it or an older one does not say so


@cache
def name_of(operation: Any) -> str:
    """`aten::relu_` -> `relu`, `aten::_to_copy` -> `to_copy`."""
    return operation._schema.name.partition("::")[2].strip("_")


@cache
def is_pointwise(operation: Any) -> bool:
    """Whether each number of the result depends on one number of each argument."""
    return torch.Tag.pointwise in operation.tags or name_of(operation) in _POINTWISE_TOO


def makes_anew(operation: Any) -> bool:
    """Whether the result has nothing of its arguments but the shape."""
    return name_of(operation).startswith(FACTORIES)


def is_sum(operation: Any) -> bool:
    """Whether the operation adds two signals."""
    return name_of(operation) in SUMS


def passed_on(operation: Any, args: Any, kwargs: Any, carried: Carried) -> Signal:
    """The signal of an operation's result, from those of its arguments."""
    name = name_of(operation)
    if name in SPECIAL:
        return _special(*SPECIAL[name], merged(s for _, s in carried))
    if not is_pointwise(operation):
        return merged(s.at(t) if len(carried) == 1 else s for t, s in carried)
    largest = max(t.numel() for t, _ in carried)
    full = [(t, s.at(t)) for t, s in carried if t.numel() == largest]  # the smaller are statistics or gates
    if len({s.calls for _, s in full}) > 1:
        return _joined(name, [s for _, s in full])
    if len({s.place for _, s in full}) > 1:
        return _parts_joined(name, full[0][1], full[-1][1])
    return _composed(operation, name, args, kwargs, full)


def _special(name: str, function: Function | None, signal: Signal) -> Signal:
    """One whose function of one number is known, or None where its gain is 1 by rule."""
    return activated(signal, name, () if function is None else (lambda z: function(signal.function(z)),))


def _joined(name: str, signals: list[Signal]) -> Signal:
    """Different layers: a sum stays open for what follows; a product is a gate, and done."""
    together = merged(signals)
    return together if name in SUMS | MOVES else activated(together, "gate", ())


def _parts_joined(name: str, first: Signal, second: Signal) -> Signal:
    """Parts of one layer's output, independent at the start: the second moment of a product is that of each."""
    if name != "mul":
        return first if not first.pristine else second
    factors = (*first.factors, *second.factors)
    return replace(first, names=(*first.names, *second.names, "gate"), factors=factors, norm=None)


def _composed(operation: Any, name: str, args: Any, kwargs: Any, full: Carried) -> Signal:
    """One signal, perhaps more than once: the function so far, and this one after it."""
    longest = max((s for _, s in full), key=lambda s: len(s.names))
    others = [v for v in _tensors((args, kwargs)) if v.numel() > 1 and all(v is not t for t, _ in full)]
    if name in MOVES or any(v.dtype == torch.bool for v in others):
        return longest
    if name in SUMS | PRODUCTS and others:
        return longest  # a bias, a mask, a learned scale
    if name in SUMS and len(full) > 1 and longest.pristine:
        return longest
    function = replayed(_functional(operation), args, kwargs, {id(t): s for t, s in full})
    if name in SUMS | PRODUCTS and len(full) == 1:
        return replace(longest, factors=(function,))
    return activated(longest, "prelu" if name == "prelu_kernel" else name, (function,))


def _functional(operation: Any) -> Any:
    """`relu` for `relu_`: the same overload, not in place, where there is one."""
    plain = getattr(torch.ops.aten, operation._schema.name.partition("::")[2].rstrip("_"), None)
    overload = operation._overloadname
    return getattr(plain, overload, operation) if plain is not None else operation


def _tensors(value: Any) -> list[Tensor]:
    return [v for v in tree_leaves(value) if isinstance(v, Tensor)]
