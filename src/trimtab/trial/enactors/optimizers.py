"""How the optimizer steps: its rate, momentum, ε and decay, or another method in its place."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Enactor


class Rate(Enactor):
    """The learning rate of every step multiplied by a factor; schedulers and checkpoints see the script's own."""

    names = ("lower-learning-rate", "raise-learning-rate", "warm-up")
    nothing_found = "no optimizer stepped"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._hold = change.value == "hold"
        self._value = 1.0 if self._hold else change.number(100.0 if change.name == "warm-up" else 1.0)
        self._steps: weakref.WeakKeyDictionary[Optimizer, int] = weakref.WeakKeyDictionary()
        self._first: weakref.WeakKeyDictionary[Optimizer, list[Any]] = weakref.WeakKeyDictionary()
        self._kept: list[Any] = []

    def step_begins(self, optimizer: Optimizer) -> None:
        step = self._steps[optimizer] = self._steps.get(optimizer, 0) + 1
        self._kept = [group["lr"] for group in optimizer.param_groups]
        first = self._first.setdefault(optimizer, self._kept)
        for place, group in enumerate(optimizer.param_groups):
            if self._hold:
                group["lr"] = first[place] if place < len(first) else group["lr"]
            else:
                group["lr"] = group["lr"] * (
                    min(step / self._value, 1.0) if self.change.name == "warm-up" else self._value
                )
        self.done += 1

    def step_ends(self, optimizer: Optimizer) -> None:
        for group, rate in zip(optimizer.param_groups, self._kept, strict=False):
            group["lr"] = rate


class Setting(Enactor):
    """One setting of the optimizer, in force from its first step on."""

    names = ("add-momentum", "lower-momentum", "lower-weight-decay", "lower-epsilon")
    nothing_found = "no optimizer that has this setting stepped"

    def step_begins(self, optimizer: Optimizer) -> None:
        key, default = {
            "add-momentum": ("momentum", 0.9),
            "lower-momentum": ("momentum", 0.9),
            "lower-weight-decay": ("weight_decay", 1e-4),
            "lower-epsilon": ("eps", 1e-8),
        }[self.change.name]
        for group in optimizer.param_groups:
            if key in group:
                group[key] = self.change.number(default)
                self.done += 1
            elif key == "momentum" and "betas" in group and self.change.name == "lower-momentum":
                group["betas"] = (self.change.number(default), group["betas"][1])
                self.done += 1


class ScaleEachCoordinate(Enactor):
    """Adam in the place of the script's method, on its parameters; a schedule of the rate applies to it as well.

    The script's optimizer goes through its step at a rate of 0, so that schedulers, scalers and checkpoints find it as
    they expect; then Adam moves the weights.
    """

    names = ("scale-each-coordinate",)
    nothing_found = "no optimizer stepped"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._rate = change.number(1e-3)
        self._first: weakref.WeakKeyDictionary[Optimizer, float] = weakref.WeakKeyDictionary()
        self._moments: dict[Tensor, tuple[Tensor, Tensor, int]] = {}
        self._kept: list[Any] = []

    def step_begins(self, optimizer: Optimizer) -> None:
        self._kept = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = 0.0

    def step_ends(self, optimizer: Optimizer) -> None:
        for group, rate in zip(optimizer.param_groups, self._kept, strict=False):
            group["lr"] = rate
        first = self._first.setdefault(optimizer, float(self._kept[0]) or 1.0)
        rate = self._rate * float(self._kept[0]) / first
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None and not p.grad.is_sparse:
                    self._descend(p, p.grad, rate)
        self.done += 1

    def _descend(self, p: Tensor, g: Tensor, rate: float, beta1: float = 0.9, beta2: float = 0.999) -> None:
        """V ← β₁v + (1−β₁)g, s ← β₂s + (1−β₂)g², w ← w − α v̂ / (√ŝ + ε)."""
        v, s, t = self._moments.get(p) or (torch.zeros_like(p), torch.zeros_like(p), 0)
        v.lerp_(g, 1 - beta1)
        s.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        t += 1
        self._moments[p] = (v, s, t)
        p.addcdiv_(v / (1 - beta1**t), (s / (1 - beta2**t)).sqrt() + 1e-8, value=-rate)
