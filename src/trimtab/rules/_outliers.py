"""Steps whose loss stands alone: far above that of the steps around it, and gone at the next."""

from __future__ import annotations

import numpy as np

from trimtab.core.trace import Floats, Ints

REACH = 10  # steps before and behind that say what is usual
ALONE = 0.1  # share of an outlier that its neighbours stay below: a step that went too far is not mended by the next
START = 5  # first steps, which may be anything


def outliers(values: Floats, ratio: float) -> tuple[Ints, Floats]:
    """Places in a never negative loss where it is `ratio` times the median around it, alone; and how many times."""
    if len(values) <= 2 * REACH or (values < 0).any():
        return np.empty(0, np.int64), np.empty(0)
    inside = np.lib.stride_tricks.sliding_window_view(np.pad(values, REACH, mode="reflect"), 2 * REACH + 1)
    usual = np.median(inside, axis=1)
    times = values / np.maximum(usual, 1e-30)
    around = np.maximum(np.roll(values, 1), np.roll(values, -1))
    found = np.flatnonzero((times > ratio) & (around < ALONE * values) & (usual > 0))
    found = found[(found >= START) & (found < len(values) - 1)]
    return found, times[found]


def aftermath(values: Floats, places: Ints, reach: int = 8) -> float:
    """Median over the places of the level of the loss behind each over that before it; 1 where nothing is undone."""
    before = [float(np.median(values[max(i - reach, 0) : i])) for i in places]
    behind = [float(np.median(values[i + 1 : i + 1 + reach])) for i in places]
    ratios = [b / max(a, 1e-30) for a, b in zip(before, behind, strict=True)]
    return float(np.median(ratios)) if ratios else 1.0
