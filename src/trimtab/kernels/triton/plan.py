"""What a step does on the GPU: what is compiled into its kernels, and the numbers that live on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Number = float | Tensor


@dataclass(frozen=True)
class Plan:
    """The form of `w ← w − lr · direction / scale`; names and formulas are those of `trimtab.kernels.step_options`.

    `clip` says whose norm a gradient is shortened by: that of several tensors together, or its own. The gain of the
    average is that of `trimtab.average.EMA`: 1 − α from zero ("plain") or from the first weights ("first"), or the one
    that is `corrected`; `warmup` is its option.
    """

    velocity: Literal["ema", "sum"] = "ema"
    nesterov: bool = False
    of_scaled: bool = False
    correct_velocity: bool = False
    correct_scale: bool = False
    eps_inside: bool = False
    decays: bool = False
    decoupled: bool = False
    maximize: bool = False
    bounded: bool = False
    clip: Literal["together", "each"] | None = None
    gain: Literal["plain", "first", "corrected"] = "corrected"
    warmup: bool = False


@dataclass(frozen=True)
class Values:
    """The numbers of a step. Tensors are read by the kernels: a schedule that writes into them acts inside a graph.

    `warm` is how many first observations the average's warm-up is about.
    """

    lr: Number
    beta1: Number = 0.0
    dampening: Number = 0.0
    beta2: Number = 0.0
    eps: Number = 0.0
    weight_decay: Number = 0.0
    bound: Number = 0.0
    max_norm: Number = 0.0
    alpha: Number = 0.0
    warm: Number = 0.0


class Live:
    """The numbers of one table in the memory of its device, float64, in the order of `Values`."""

    def __init__(self, device: torch.device) -> None:
        self.vector = torch.zeros(len(Values.__dataclass_fields__), dtype=torch.float64, device=device)
        self._cells = self.vector.unbind()
        self._known: list[Number] = [0.0] * len(self._cells)

    def set(self, values: Values) -> None:
        """Writes what has changed. A number is an argument of the launch that writes it: nothing is waited for."""
        for i, (name, cell) in enumerate(zip(Values.__dataclass_fields__, self._cells, strict=True)):
            value = getattr(values, name)
            if isinstance(value, Tensor) and value.device == cell.device:
                cell.copy_(value.detach().reshape(()))
                self._known[i] = value
                continue
            number = float(value)
            if isinstance(self._known[i], Tensor) or self._known[i] != number:
                cell.fill_(number)
                self._known[i] = number
