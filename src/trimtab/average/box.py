"""The mean of the last n observations."""

from __future__ import annotations

import math
from collections import deque
from copy import deepcopy
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trimtab.average.tree import combine


class BoxAverage:
    """Mean of the last n observations: `b_t = (o_t + o_{t−1} + … + o_{t−n+1}) / n`, of all of them while t < n.

    The last n observations are kept and summed anew at every reading: a sum that is carried on, one observation added
    and one taken away, gathers rounding errors for ever, and one NaN would never leave it. Observations are those of
    `RecursiveAverage`; reading costs n additions, and memory is n observations.

    Args:
        n: length of the window, at least 1.

    Raises:
        ValueError: n below 1.

    Differs from torch: torch has none. `EMA(alpha_of((n + 1) / 2))` is as late and as smooth and keeps one value only.

    >>> box = BoxAverage(2)
    >>> [box.update(o) for o in (1.0, 3.0, 8.0)]
    [1.0, 2.0, 5.5]
    """

    def __init__(self, n: int) -> None:
        if not (isinstance(n, Integral) and n >= 1):
            raise ValueError(f"BoxAverage: n={n!r}, expected a whole number of observations, at least 1")
        self.n = int(n)
        self.count = 0  # observations so far, those that have left the window included
        self._window: deque[Any] = deque(maxlen=self.n)

    def update(self, observation: Any) -> Any:
        """Takes one more observation in and returns the mean of the last n; errors as in `RecursiveAverage.update`."""
        if self._window:
            combine(lambda _, o: o, self._window[0], observation)
        self._window.append(combine(deepcopy, observation))  # the caller may change his tensor in place
        self.count += 1
        return self.value

    @property
    def value(self) -> Any:
        """The mean of the last n observations, with their structure. Raises ValueError before the first one."""
        if not self._window:
            raise ValueError("BoxAverage.value: no observation yet; call update(observation) first")
        return combine(_mean, *self._window)

    def reset(self) -> None:
        """Forgets all observations."""
        self.count = 0
        self._window.clear()

    def state_dict(self) -> dict[str, Any]:
        """Count and window, oldest first; n is the constructor's and is not in it."""
        return {"count": self.count, "window": list(self._window)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from `state_dict`, with the n of this object: of a longer window the newest n stay."""
        self.count = int(state["count"])
        self._window = deque((combine(deepcopy, item) for item in state["window"]), maxlen=self.n)

    def __repr__(self) -> str:
        return f"BoxAverage(n={self.n})"


def _mean(*leaves: Any) -> Any:
    if isinstance(leaves[0], Tensor):
        return torch.stack(leaves).mean(0)
    if isinstance(leaves[0], np.ndarray):
        with np.errstate(invalid="ignore", over="ignore"):
            return np.stack(leaves).mean(0)
    try:
        return math.fsum(leaves) / len(leaves)
    except (TypeError, ValueError, OverflowError):  # complex numbers, infinities of both signs, a sum beyond float64
        return sum(leaves) / len(leaves)
