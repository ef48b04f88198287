"""Fewer points, the same picture: what stands out survives thinning."""

from __future__ import annotations

import numpy as np

from trimtab.core.trace import Floats

STEPS = 200
LAYERS = 120
LINES = 40


def striking_rows(values: Floats, most: int) -> list[int]:
    """Indices of at most `most` rows of [N, K], ascending: of each of `most` stretches the row that strays furthest.

    Straying is the largest distance of an entry from its column's mean; an infinite entry strays infinitely far, and
    the first and the last row always stay. Rows are kept whole, so that what is drawn was measured.
    """
    if len(values) <= most:
        return list(range(len(values)))
    straying = np.minimum(_straying(values), np.finfo(float).max)
    straying[[0, -1]] = np.inf
    stretches = np.array_split(np.arange(len(values)), most)
    return [int(stretch[np.argmax(straying[stretch])]) for stretch in stretches]


def striking_points(values: Floats, most: int) -> list[int]:
    """Indices of at most `most` points of a line [N], ascending: the lowest and the highest of each stretch."""
    if len(values) <= most:
        return list(range(len(values)))
    stretches = np.array_split(np.arange(len(values)), most // 2 - 1)
    low, high = np.where(np.isfinite(values), values, np.inf), np.where(np.isfinite(values), values, -np.inf)
    kept = {0, len(values) - 1}
    for stretch in stretches:
        kept |= {int(stretch[np.argmin(low[stretch])]), int(stretch[np.argmax(high[stretch])])}
    return sorted(kept)


def _straying(values: Floats) -> Floats:
    """Distance from the mean, not the median: ten million values are no rarity, and a median would take seconds."""
    finite = np.isfinite(values)
    means = np.where(finite, values, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    distance = np.where(finite, np.abs(values - means), 0.0)
    distance[np.isinf(values)] = np.inf
    return distance.max(axis=1, initial=0.0)
