"""The loss that a view shows: the one with the most readings, and its average."""

from __future__ import annotations

import math

import numpy as np

from trimtab.core.signal import LOSS
from trimtab.core.trace import Floats, Trace
from trimtab.methods.gain import of_corrected_ema


def shown_loss(trace: Trace) -> Floats:
    """The values [T] of the loss with the most readings; empty where there is none."""
    losses = trace[LOSS]
    if not losses.size:
        return np.empty(0)
    column = losses[:, int(np.argmax((~np.isnan(losses)).sum(axis=0)))]
    return column[~np.isnan(column)]


def average(values: Floats) -> float:
    """The bias-corrected EMA over a thirtieth of the readings, at least five; NaN where none is finite."""
    alpha = 1 - 1 / max(5.0, len(values) / 30)
    reached = math.nan
    for t, value in enumerate(values[np.isfinite(values)][-1000:], start=1):
        gain = of_corrected_ema(alpha, t * math.log(alpha))
        reached = value if t == 1 else reached + gain * (value - reached)
    return float(reached)
