"""Which readings were NaN or Inf, told apart from those that were never taken."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from trimtab.core.signal import Signal
from trimtab.core.trace import Trace

Mask: TypeAlias = NDArray[np.bool_]


def broken(trace: Trace, signal: Signal) -> Mask:
    """Where a signal was not finite, [T, S].

    A trace writes NaN also for "not measured here", so NaN counts only in a reading without any finite value, or
    where, from a known first non-finite value on, the site never has a finite one again.
    """
    values = trace[signal]
    finite = np.isfinite(values)
    lost = ~np.flip(np.logical_or.accumulate(np.flip(finite, axis=0), axis=0), axis=0)
    first = min((event.step for event in trace.events if event.kind == "first-nonfinite"), default=None)
    after = np.zeros(len(values), dtype=bool) if first is None else trace.at(signal) >= first
    silent = ~finite.any(axis=1, keepdims=True)
    return np.isinf(values) | (np.isnan(values) & (silent | (after[:, None] & lost)))
