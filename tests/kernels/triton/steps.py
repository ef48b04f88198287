"""The step in float64, written down anew from its formulas, for one tensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trimtab.kernels.triton.plan import Plan, Values

Array = np.ndarray[Any, np.dtype[np.float64]]
TINY = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


@dataclass
class Expected:
    """What a tensor and its memory should be after steps."""

    w: Array
    dtype: torch.dtype
    memory: dict[str, Array] = field(default_factory=dict)
    t: int = 0

    def step(self, g: Array, plan: Plan, values: Values, factor: float = 1.0, gain: float | None = None) -> None:
        """One step of gradient `g`, which is multiplied by `factor`."""
        v = {name: float(number) for name, number in vars(values).items()}
        self.t += 1
        x = g * factor
        x = np.where(x > v["bound"], v["bound"], x) if plan.bounded else x
        x = np.where(x < -v["bound"], -v["bound"], x) if plan.bounded else x
        x = -x if plan.maximize else x
        w = self.w
        if plan.decays and plan.decoupled:
            w = w * (1 - v["lr"] * v["weight_decay"])
        elif plan.decays:
            x = x + v["weight_decay"] * w
        scale = self._scale(x, plan, v) if "square" in self.memory else np.ones_like(x)
        if plan.of_scaled:
            x, scale = x / scale, np.ones_like(x)
        direction, weight = self._direction(x, plan, v) if "velocity" in self.memory else (x, 1.0)
        self.w = w - v["lr"] * (direction / weight) / scale
        if self.dtype.itemsize == 2:  # the weights as they are kept
            self.w = torch.from_numpy(self.w).to(self.dtype).double().numpy()
        if gain is not None:
            self.memory["average"] = self.memory["average"] + gain * (self.w - self.memory["average"])

    def _scale(self, x: Array, plan: Plan, v: dict[str, float]) -> Array:
        memory, beta = self.memory, v["beta2"]
        memory["square"] = beta * memory["square"] + (1 - beta) * x**2
        weight = 1 - beta**self.t if plan.correct_scale else 1.0
        s = memory["square"]
        if "largest" in memory:
            s = memory["largest"] = np.maximum(memory["largest"], s)
        s = s / weight
        if "mean" in memory:
            memory["mean"] = beta * memory["mean"] + (1 - beta) * x
            s = np.maximum(s - (memory["mean"] / weight) ** 2, 0)
        return np.sqrt(s + v["eps"]) if plan.eps_inside else np.sqrt(s) + v["eps"]

    def _direction(self, x: Array, plan: Plan, v: dict[str, float]) -> tuple[Array, float]:
        memory, beta = self.memory, v["beta1"]
        enter = 1 - beta if plan.velocity == "ema" else 1 - v["dampening"]
        memory["velocity"] = beta * memory["velocity"] + enter * x
        weight = 1 - beta ** (self.t + plan.nesterov) if plan.correct_velocity else 1.0
        if not plan.nesterov:
            return memory["velocity"], weight
        return beta * memory["velocity"] + (1 - beta if plan.velocity == "ema" else 1.0) * x, weight


def array(x: Tensor) -> Array:
    """A copy of the values."""
    return x.cpu().double().numpy().copy()


def wide(dtype: torch.dtype) -> torch.dtype:
    """The type of the memory."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def close(actual: Tensor, expected: Array, dtype: torch.dtype) -> None:
    """Equal to what `dtype` can hold of a few steps."""
    told = torch.from_numpy(np.ascontiguousarray(expected))
    torch.testing.assert_close(actual.cpu().double(), told, rtol=TINY[dtype], atol=TINY[dtype] / 10, equal_nan=True)
