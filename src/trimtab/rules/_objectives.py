"""What each of several objectives has come to: their sum may fall by one alone."""

from __future__ import annotations

import numpy as np

from trimtab.core.looks import measured
from trimtab.core.signal import SURPRISE
from trimtab.core.trace import Trace

LOOKS = 20
GUESSING = 0.8  # of log C, the surprise of one who guesses; below it something had been learned before
STILL = 0.97  # share of its first level that an objective keeps which has learned nothing


def stands_still(trace: Trace) -> str:
    """Name of a classifier's objective that stands where it began, beside others; empty where there is none."""
    sites = trace.of("objective")
    if len(sites) < 2:
        return ""
    for place, site in enumerate(sites):
        values, classes = measured(trace, SURPRISE, place), site.attrs.get("classes")
        if not isinstance(classes, (int, float)) or classes < 2 or len(values) < LOOKS:
            continue
        start, now = np.median(values[:3]), np.median(values[-len(values) // 4 :])
        if start > GUESSING * np.log(classes) and now > STILL * start:
            return site.name
    return ""
