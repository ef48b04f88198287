"""How far a step moves the weights: RMS of the update over RMS of the weights, per weight matrix."""

from __future__ import annotations

import numpy as np

from trimtab.core.norms import total_norm
from trimtab.core.signal import GRAD_RMS, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.trace import Floats, Trace


def weight_places(trace: Trace) -> list[int]:
    """Parameter sites that are weight matrices: a bias may start at 0, where the ratio means nothing."""
    return [i for i, site in enumerate(trace.of("parameter")) if site.attrs.get("role") == "weight"]


def update_ratios(trace: Trace) -> Floats:
    """Ratio per look and weight matrix, [T, W]; NaN where either is unknown, or the weights are all 0."""
    places = weight_places(trace)
    updates, weights = trace[UPDATE_RMS], trace[WEIGHT_RMS]
    if not (updates.size and weights.size and places) or len(updates) != len(weights):
        return np.empty((0, 0))
    with np.errstate(all="ignore"):
        ratio = updates[:, places] / weights[:, places]
    return np.where(np.isfinite(ratio) | np.isinf(updates[:, places]), ratio, np.nan)


def typical_ratio(ratios: Floats) -> Floats:
    """Median over the weight matrices, per look, [T]; NaN where no matrix was measured."""
    seen = ~np.isnan(ratios).all(axis=1) if ratios.size else np.zeros(0, dtype=bool)
    typical = np.full(len(ratios), np.nan)
    if seen.any():
        typical[seen] = np.nanmedian(ratios[seen], axis=1)
    return typical


SLOW = 3e-4  # update over weights; in the healthy programs of the clinic a typical step is 3e-4 to 5e-2


def is_slow(trace: Trace) -> bool:
    """Whether the typical step is small, so that what the run has learned it may have learned too slowly."""
    ratios = typical_ratio(update_ratios(trace))
    return bool(np.isfinite(ratios).any()) and float(np.nanmedian(ratios)) < SLOW


def reach(trace: Trace, place: int) -> float | None:
    """By what share of itself all updates together could have lowered a loss, to first order: Σ_t ‖g_t‖ ‖Δw_t‖ / |L_t|.

    ‖g‖ ‖Δw‖ is the most that a step of this length can change the loss while the gradient holds. Steps that were not
    looked at count as their neighbours do. None where too little was measured.
    """
    steps, grads, updates = np.intersect1d(trace.at(GRAD_RMS), trace.at(UPDATE_RMS), return_indices=True)
    steps, here, there = np.intersect1d(steps, trace.at(LOSS), return_indices=True)
    if len(steps) < 5:
        return None
    loss = trace[LOSS][there, place]
    with np.errstate(all="ignore"):
        gain = total_norm(trace, GRAD_RMS)[grads][here] * total_norm(trace, UPDATE_RMS)[updates][here] / np.abs(loss)
    known = np.isfinite(gain)
    if known.sum() < 5:
        return None
    at, gain = steps[known], gain[known]
    between = float(np.sum((gain[1:] + gain[:-1]) / 2 * np.diff(at)))
    ends = gain[0] * (at[0] + 1) + gain[-1] * (trace.steps - 1 - at[-1])
    return between + float(ends)


def speed_of_weights(trace: Trace) -> dict[int, float]:
    """The ratio of each weight matrix that moves, by its place; median over the later half of the looks."""
    ratios = update_ratios(trace)
    found: dict[int, float] = {}
    for i, place in enumerate(weight_places(trace)[: ratios.shape[1]]):
        late: Floats = ratios[len(ratios) // 2 :, i]
        late = late[np.isfinite(late)]
        if late.size and np.median(late) > 0:
            found[place] = float(np.median(late))
    return found
