"""Losses that a script computes without gradient: what it evaluates by. Heard of in trials alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from trimtab.core.signal import EVALUATION_LOSS
from trimtab.trial.patches import LOSSES, Patches
from trimtab.watching import Watcher


class Evaluations:
    """Writes the mean of the losses of each evaluation into the watcher's record, at the step at which it is made."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._patches = Patches()
        self._step, self._sum, self._count = -1, 0.0, 0
        for name in LOSSES:
            self._patches.wrap(F, name, self._around)

    def remove(self) -> None:
        """Hear no more."""
        self._patches.remove()

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(*args: Any, **kwargs: Any) -> Any:
            value = original(*args, **kwargs)
            if not torch.is_grad_enabled() and isinstance(value, torch.Tensor) and value.numel() == 1:
                self._heard(float(value))
            return value

        return loss

    def _heard(self, value: float) -> None:
        step = self._watcher.steps
        if step != self._step:
            self._step, self._sum, self._count = step, 0.0, 0
        self._sum += value
        self._count += 1
        self._watcher.note(EVALUATION_LOSS, self._sum / self._count)
