"""How far successive gradients agree: c_t = g_t·g_{t−1} / ‖g_t‖‖g_{t−1}‖."""

from __future__ import annotations

import numpy as np

from trimtab.core.signal import GRADIENT_DOT, GRADIENT_POWER
from trimtab.core.trace import Floats, Ints, Trace


def cosines(trace: Trace) -> tuple[Ints, Floats]:
    """Steps at which a gradient and the one before it were measured, and their cosines."""
    dots, power = trace[GRADIENT_DOT][:, :1].ravel(), trace[GRADIENT_POWER][:, :1].ravel()
    known = dict(zip(trace.at(GRADIENT_POWER).tolist(), power.tolist(), strict=False))
    found: list[tuple[int, float]] = []
    for step, dot in zip(trace.at(GRADIENT_DOT).tolist(), dots.tolist(), strict=False):
        before, now = known.get(step - 1, np.nan), known.get(step, np.nan)
        length = float(np.sqrt(max(before, 0.0) * max(now, 0.0)))
        if np.isfinite(dot) and np.isfinite(length) and length > 0:
            found.append((step, dot / length))
    return np.array([step for step, _ in found], dtype=np.int64), np.array([value for _, value in found])
