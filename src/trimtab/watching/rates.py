"""The learning rate of each optimizer, at looks and, between them, where it has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import LEARNING_RATE
from trimtab.watching.buffer import Buffer
from trimtab.watching.sites import Sites

SETTINGS = ("eps", "momentum", "weight_decay")


class Rates:
    """Remembers what each optimizer's first group had, so that a constant rate is written once a look."""

    def __init__(self, buffer: Buffer, sites: Sites) -> None:
        self._buffer, self._sites = buffer, sites
        self._last: dict[int, Any] = {}

    def keep(self, step: int, optimizer: Optimizer, line: Callable[[Optimizer], str], looking: bool) -> None:
        """The optimizer has stepped. A rate on a device is read at looks alone, without waiting for it."""
        groups = optimizer.param_groups
        rate = groups[0].get("lr") if groups else None
        if isinstance(rate, Tensor):
            rate = rate.detach().clone() if looking else None
        if rate is None or (not looking and self._last.get(id(optimizer)) == rate):
            return
        self._last[id(optimizer)] = rate
        self._buffer.put(step, LEARNING_RATE, self.site(optimizer, line), rate)

    def site(self, optimizer: Optimizer, line: Callable[[Optimizer], str]) -> int:
        """The place of an optimizer, with the settings that its class alone does not tell."""
        name = type(optimizer).__name__
        groups = optimizer.param_groups
        settings = {key: _plain(groups[0].get(key)) for key in SETTINGS if groups}
        return self._sites.index("optimizer", f"{name}:{id(optimizer)}", name, line=line(optimizer), **settings)


def _plain(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
