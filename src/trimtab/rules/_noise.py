"""How far successive gradients agree: c = Σ g_t·g_{t−1} / Σ ‖g_t‖‖g_{t−1}‖."""

from __future__ import annotations

import numpy as np

from trimtab.core.signal import GRADIENT_DOT, GRADIENT_POWER
from trimtab.core.trace import Trace


def cosine(trace: Trace, since: int, least: int = 1) -> float | None:
    """Mean cosine of the gradients of successive steps from `since` on; None where fewer than `least` were measured."""
    dots, power = trace[GRADIENT_DOT][:, :1].ravel(), trace[GRADIENT_POWER][:, :1].ravel()
    known = dict(zip(trace.at(GRADIENT_POWER).tolist(), power.tolist(), strict=False))
    found: list[float] = []
    for step, dot in zip(trace.at(GRADIENT_DOT).tolist(), dots.tolist(), strict=False):
        before, now = known.get(step - 1, np.nan), known.get(step, np.nan)
        length = float(np.sqrt(max(before, 0.0) * max(now, 0.0)))
        if step > since and np.isfinite(dot) and np.isfinite(length) and length > 0:
            found.append(dot / length)
    return float(np.mean(found)) if len(found) >= least else None
