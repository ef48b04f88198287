"""The values of a site over the looks."""

from __future__ import annotations

import numpy as np

from trimtab.core.signal import Signal
from trimtab.core.trace import Floats, Trace


def column(trace: Trace, signal: Signal, place: int) -> Floats:
    """The values of one site over the looks, NaN where it was not measured; empty where the signal is missing."""
    values = trace[signal]
    return values[:, place] if place < values.shape[1] else np.empty(0)


def measured(trace: Trace, signal: Signal, place: int) -> Floats:
    """The values of one site at the looks that have one; NaN and Inf are left out."""
    values = column(trace, signal, place)
    return values[np.isfinite(values)]


def first_step(trace: Trace, signal: Signal, shown: Floats) -> int:
    """The step of the first look at which something is shown, of a mask [T] over the looks of a signal."""
    rows = np.flatnonzero(shown)
    return int(trace.at(signal)[rows[0]]) if rows.size else 0
