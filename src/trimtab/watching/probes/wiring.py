"""Who is connected to whom: parameters that the loss does not reach, and parameters that no optimizer holds."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import CALLED, OWNED, REACHED
from trimtab.watching.buffer import Buffer
from trimtab.watching.optimizers import Optimizers

Place = Callable[[list[Tensor]], list[tuple[int, Tensor]]]
DENSE, EVERY, AFTER = 3, 5, 30


def due(step: int) -> bool:
    """Connections change seldom: asked at the first steps, then at every fifth, beyond the dense start at each look."""
    return step < DENSE or step % EVERY == 0 or step >= AFTER


def read_ownership(buffer: Buffer, step: int, optimizers: Optimizers, reached: list[tuple[int, Tensor]]) -> None:
    """Which of the parameters that the backward reached are in an optimizer."""
    if due(step) and not optimizers.none_alive():
        for site, p in reached:
            buffer.put(step, OWNED, site, float(optimizers.holds(p)))


def read_reach(
    buffer: Buffer, step: int, optimizer: Optimizer, place: Place, was_called: Callable[[Tensor], bool]
) -> None:
    """Which of an optimizer's parameters have a gradient, and of those that have none, whose module was called."""
    if not due(step):
        return
    trainable = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for site, p in place(trainable):
        buffer.put(step, REACHED, site, float(p.grad is not None))
        if p.grad is None:
            buffer.put(step, CALLED, site, float(was_called(p)))
