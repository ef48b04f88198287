"""The gradient of a run as one vector: its norm over all parameters, per look."""

from __future__ import annotations

import numpy as np

from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS, Signal
from trimtab.core.trace import Floats, Ints, Trace


def total_norm(trace: Trace, signal: Signal, places: list[int] | None = None) -> Floats:
    """√Σ numel · RMS², [T]; NaN where nothing was measured, Inf where something was not finite."""
    values = trace[signal]
    chosen = list(range(values.shape[1])) if places is None else [i for i in places if i < values.shape[1]]
    numel = np.array([float(trace.of("parameter")[i].attrs.get("numel") or 1) for i in chosen])
    if not len(values) or not chosen:
        return np.full(len(values), np.nan)
    part = values[:, chosen]
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.nansum(part**2 * numel, axis=1))
    return np.where(np.isnan(part).all(axis=1), np.nan, norms)


def before_and_after_clipping(trace: Trace) -> tuple[Ints, Floats, Floats]:
    """Steps, norms after backward, and norms as the step used them, of the parameters that have both."""
    steps, raw, used = np.intersect1d(trace.at(GRAD_RMS), trace.at(GRAD_USED_RMS), return_indices=True)
    width = min(trace[GRAD_RMS].shape[1], trace[GRAD_USED_RMS].shape[1])
    before, after = trace[GRAD_RMS][raw][:, :width], trace[GRAD_USED_RMS][used][:, :width]
    numel = np.array([float(site.attrs.get("numel") or 1) for site in trace.of("parameter")[:width]])
    both = np.isfinite(before) & np.isfinite(after)
    with np.errstate(all="ignore"):
        norms = [np.sqrt(np.where(both, part**2 * numel, 0.0).sum(axis=1)) for part in (before, after)]
    seen = both.any(axis=1) & (norms[0] > 0) if len(steps) else np.zeros(0, dtype=bool)
    return steps[seen], norms[0][seen], norms[1][seen]
