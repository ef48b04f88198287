"""What running mean and EMA share: an average that moves to each observation by a gain of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from trimtab.average.tree import combine


class RecursiveAverage(ABC):
    """An average that is kept as one value: `value ← value + w_t (o_t − value)`, from 0, t = 1, 2, ….

    An observation is a number, a NumPy array, a tensor, or a dict, list or tuple of observations, nested as you like.
    Numbers and arrays are averaged in float64, tensors in their own precision but at least in float32 (integer tensors
    in float64). Everything pickles, copies, and goes into a checkpoint by `state_dict`.
    """

    def __init__(self) -> None:
        self.count = 0  # observations so far
        self._value: Any = None

    @abstractmethod
    def gain(self, t: int) -> float:
        """The weight `w_t` of the t-th observation, a function of t alone."""

    def update(self, observation: Any) -> Any:
        """Takes one more observation in and returns the average so far.

        Raises:
            ValueError: the structure or a shape differs from that of the first observation.
            TypeError: something that is no number.
        """
        gain = self.gain(self.count + 1)
        with np.errstate(invalid="ignore", over="ignore"):  # a non-finite observation is seen in the average
            if self.count == 0:
                self._value = combine(lambda o: gain * o, observation)
            elif gain == 1:  # value + (o − value) would round, and never leave a NaN
                self._value = combine(lambda _, o: gain * o, self._value, observation)
            else:
                self._value = combine(lambda value, o: value + gain * (o - value), self._value, observation)
        self.count += 1
        return self._value

    @property
    def value(self) -> Any:
        """The average so far, with the structure of the observations. Raises ValueError before the first one."""
        if self.count == 0:
            raise ValueError(f"{type(self).__name__}.value: no observation yet; call update(observation) first")
        return self._value

    def reset(self) -> None:
        """Forgets all observations."""
        self.count, self._value = 0, None

    def state_dict(self) -> dict[str, Any]:
        """Count and value, without the settings (α, …). NumPy arrays in it need `torch.load(weights_only=False)`."""
        return {"count": self.count, "value": self._value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from the count and the value of `state_dict`, with the settings of this object."""
        self.count = int(state["count"])
        self._value = combine(lambda leaf: leaf, state["value"]) if self.count else None
