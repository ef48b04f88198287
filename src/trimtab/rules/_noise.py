"""How far successive gradients agree, over a stretch of a run."""

from __future__ import annotations

from trimtab.core.agreement import cosines
from trimtab.core.trace import Trace


def cosine(trace: Trace, since: int, least: int = 1) -> float | None:
    """Mean cosine of the gradients of successive steps from `since` on; None where fewer than `least` were measured."""
    steps, values = cosines(trace)
    found = values[steps > since]
    return float(found.mean()) if len(found) >= least else None
