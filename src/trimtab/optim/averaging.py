"""The average of the weights: kept beside the training, shown in place of the weights, never trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from torch._compile import _disable_dynamo  # torch.compiler.disable, without importing the compiler

from trimtab.average.lending import lent
from trimtab.average.update import toward_
from trimtab.optim.tensor_step import working_dtype

if TYPE_CHECKING:
    from trimtab.optim.descent import Descent


class Gain(Protocol):
    """An average made step by step: the t-th observation x, t = 1, 2, …, enters by `a ← a + gain(t) (x − a)`.

    With a method `device_gain`, which takes and returns a float64 scalar tensor, a step compiles into one graph.
    """

    def gain(self, t: int) -> float:
        """The weight of the t-th observation; 1 at the first where the average has no bias towards 0."""
        ...


def observe_(state: dict[str, Any], param: Tensor, average: Gain) -> None:
    """`a ← a + gain(t) (w − a)`, from a = 0, in the working dtype."""
    if "average" not in state:
        state["average"] = torch.zeros_like(param, dtype=working_dtype(param), memory_format=torch.preserve_format)
        state["average_step"] = torch.zeros((), dtype=torch.int64, device="cpu")
    state["average_step"] += 1
    gain = _gain(average, state["average_step"], state["average"])
    toward_(state["average"], param.to(working_dtype(param)), gain)


def _gain(average: Gain, t: Tensor, like: Tensor) -> float | Tensor:
    """A number, but for the compiler a tensor of the average's type: it would compile anew for each number."""
    on_device = getattr(average, "device_gain", None) if torch.compiler.is_compiling() else None
    return _host_gain(average, t) if on_device is None else on_device(t.double()).to(like)


@_disable_dynamo
def _host_gain(average: Gain, t: Tensor) -> float:
    return average.gain(int(t))


@contextmanager
def shown(optimizer: Descent) -> Iterator[None]:
    """The averages in the parameters' own memory; the weights back in it however the block is left."""
    if optimizer._showing_averages:
        raise RuntimeError("averaged() inside averaged(): the weights are the average already")
    listed = (p for group in optimizer.param_groups for p in group["params"])
    params = [p for p in listed if int(optimizer.state.get(p, {}).get("average_step", 0)) > 0]
    optimizer._showing_averages = True
    try:
        with lent(params, [optimizer.state[p]["average"] for p in params]):
            yield
    finally:
        optimizer._showing_averages = False
