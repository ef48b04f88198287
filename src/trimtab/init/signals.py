"""What a tensor inside a running model carries: the layers it comes from, and what was done to it since."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._pytree import tree_map

from trimtab.init.gains import gain

Function = Callable[[Tensor], Tensor]

# A layer followed by these alone has no activation yet; sums and products with numbers are kept for the one to come.
SUMS = frozenset({"add", "sub", "rsub"})
PRODUCTS = frozenset({"mul", "div", "neg"})
MOVES = frozenset(
    {
        "clone", "copy", "detach", "alias", "to_copy", "lift_fresh", "masked_fill", "real", "view_as_real",
        "view_as_complex",
    }
)  # fmt: skip

# Tensors made in the likeness of another carry none of its signal.
FACTORIES = ("empty", "zeros", "ones", "full", "rand", "new_", "bernoulli", "arange", "scalar_tensor")

# Activations that are not element-wise operations of one tensor to torch, as (name, function of one number).
SPECIAL: dict[str, tuple[str, Function | None]] = {
    "glu": ("glu", torch.sigmoid),
    "softmax": ("softmax", None),
    "safe_softmax": ("softmax", None),
    "log_softmax": ("log_softmax", None),
    "log_sigmoid_forward": ("log_sigmoid", F.logsigmoid),
    "rrelu_with_noise": ("rrelu", lambda z: F.rrelu(z, training=False)),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """`calls` are the nearest calls of weight layers below, `ancestors` all of them, `depth` the longest way in layers.

    Ancestors below 0 are tensors of the example. `open` are the calls whose output this is, but for `factors`:
    element-wise functions of independent parts of the output, multiplied. `place` tells the parts of one output from
    each other; `norm` is the norm since the last weight layer; `activated` is what was measured of the last function's
    result.
    """

    calls: frozenset[int] = frozenset()
    ancestors: frozenset[int] = frozenset()
    depth: int = 0
    open: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()
    factors: tuple[Function, ...] = ()
    place: tuple[int, int] | None = None
    norm: str | None = None
    activated: Any = None

    @property
    def pristine(self) -> bool:
        """Whether no activation came since the layer."""
        return not self.names

    def feeds(self, other: Signal) -> bool:
        """Whether the other was computed from this one, or from a part of this sum."""
        return bool((self.calls or self.ancestors) & (other.ancestors - other.calls)) and self != other

    def at(self, tensor: Tensor) -> Signal:
        """With its place, which is that of the tensor the first time that it is asked for."""
        return self if self.place else replace(self, place=(int(tensor.storage_offset()), tensor.numel()))

    def function(self, z: Tensor) -> Tensor:
        """The one factor, or the identity."""
        return self.factors[0](z) if self.factors else z


def merged(signals: Iterable[Signal]) -> Signal:
    """Of several signals together: those that have had their activation are done with, the others stay open."""
    signals = list(dict.fromkeys(signals))
    if len(signals) == 1:
        return signals[0]
    return Signal(
        calls=frozenset().union(*(s.calls for s in signals)),
        ancestors=frozenset().union(*(s.ancestors for s in signals)),
        depth=max(s.depth for s in signals),
        open=frozenset().union(*(s.open for s in signals if s.pristine)),
    )


def activated(signal: Signal, name: str, functions: tuple[Function, ...]) -> Signal:
    """The signal after one more function."""
    return replace(signal, names=(*signal.names, name), factors=functions)


def replayed(operation: Any, args: Any, kwargs: Any, parts: dict[int, Signal]) -> Function:
    """The operation as a function of one number: signals become what they are of it, other tensors their mean."""

    def template(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return parts[id(value)] if id(value) in parts else _mean(value)

    def filled(value: Any, z: Tensor) -> Any:
        if isinstance(value, Signal):
            return value.function(z).clone()
        return value.to(z.dtype).expand(z.shape) if isinstance(value, Tensor) else value

    kept = tree_map(template, (args, kwargs))

    def function(z: Tensor) -> Tensor:
        filled_args, filled_kwargs = tree_map(lambda value: filled(value, z), kept)
        return operation(*filled_args, **filled_kwargs)

    return function


def gain_of(factors: tuple[Function, ...], names: tuple[str, ...]) -> float:
    """The gain of a recorded activation: the product of those of its independent factors, softmax and its kin 1."""
    product = 1.0
    try:
        for factor in factors:
            product *= gain(factor)
    except (ValueError, RuntimeError, NotImplementedError):
        product = math.nan
    if math.isfinite(product):
        return product
    try:
        return gain(names[-1])
    except (ValueError, IndexError):
        return 1.0


def _mean(value: Tensor) -> Tensor:
    if value.is_meta or not value.numel():
        return torch.tensor(
            0.25, device="cpu"
        )  # PReLU's slope at the start, the one activation whose parameter joins element-wise
    return value.detach().to(torch.float64).mean().cpu()
