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
    """An average made step by step: the t-th observation x, t = 1, 2, …, enters by `a ← a + gain(t) (x − a)`."""

    def gain(self, t: int) -> float:
        """The weight of the t-th observation; 1 at the first where the average has no bias towards 0."""
        ...


@_disable_dynamo
def observe_(state: dict[str, Any], param: Tensor, average: Gain) -> None:
    """`a ← a + gain(t) (w − a)`, from a = 0, in the working dtype. Not compiled: t is counted on the host."""
    if "average" not in state:
        state["average"] = torch.zeros_like(param, dtype=working_dtype(param), memory_format=torch.preserve_format)
        state["average_step"] = torch.zeros((), dtype=torch.int64, device="cpu")
    state["average_step"] += 1
    toward_(state["average"], param.to(working_dtype(param)), average.gain(int(state["average_step"])))


@contextmanager
def shown(optimizer: Descent) -> Iterator[None]:
    """The averages in the parameters' own memory; the weights back in it however the block is left."""
    if optimizer._showing_averages:
        raise RuntimeError("averaged() inside averaged(): the weights are the average already")
    listed = (p for group in optimizer.param_groups for p in group["params"])
    params = [p for p in listed if "average" in optimizer.state.get(p, {})]
    optimizer._showing_averages = True
    try:
        with lent(params, [optimizer.state[p]["average"] for p in params]):
            yield
    finally:
        optimizer._showing_averages = False
