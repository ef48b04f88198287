"""Losses that a script computes without gradient: what it evaluates by. Heard of in trials alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from trimtab.core.signal import EVALUATION_LOSS
from trimtab.watching import Watcher

LOSSES = (
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
)


def hear_evaluations(watcher: Watcher) -> None:
    """Write the mean of the losses of each evaluation into the watcher's record, at the step at which it is made."""
    sums: dict[int, tuple[float, int]] = {}

    def heard(value: Any) -> None:
        if torch.is_grad_enabled() or not isinstance(value, torch.Tensor) or value.numel() != 1:
            return
        total, count = sums.get(watcher.steps, (0.0, 0))
        sums[watcher.steps] = (total + float(value), count + 1)
        watcher.note(EVALUATION_LOSS, (total + float(value)) / (count + 1))

    for name in LOSSES:
        setattr(F, name, _heard(getattr(F, name), heard))


def _heard(original: Callable[..., Any], heard: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def loss(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        heard(value)
        return value

    return loss
