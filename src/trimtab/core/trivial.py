"""What a loss would be if the model put out the same for every example: the least that learning must beat."""

from __future__ import annotations

import math

import numpy as np

from trimtab.core.looks import column
from trimtab.core.signal import LOSS, MISFIT, SURPRISE, TARGET_MEAN, TARGET_SD, Signal
from trimtab.core.trace import Site, Trace

AGREEMENT = 0.1  # how far loss and objective may differ, relatively, to be taken for the same thing
LOOKS = 3
LARGE = 30.0


def trivial_loss(trace: Trace, line: str) -> float | None:
    """The loss of the best constant prediction; None where the loss is not one plain objective of known kind."""
    sites = [(i, site) for i, site in enumerate(trace.of("objective")) if site.attrs.get("line") == line]
    if len(sites) != 1:
        return None
    place, site = sites[0]
    kind, classes = site.attrs.get("compares"), site.attrs.get("classes")
    if kind == "cross_entropy" and isinstance(classes, (int, float)) and classes > 1:
        return math.log(classes) if _is_the_loss(trace, line, SURPRISE, place) else None
    if kind in ("mse", "squared") and site.attrs.get("columns") == 1:
        return target_variance(trace, place) if _is_the_loss(trace, line, MISFIT, place) else None
    return None


def target_variance(trace: Trace, place: int) -> float | None:
    """Variance of the targets of an objective over all batches that were looked at."""
    means, sds = column(trace, TARGET_MEAN, place), column(trace, TARGET_SD, place)
    if len(means) != len(sds):
        return None
    if _by_hand(trace.of("objective")[place]):
        means, sds = means[:LOOKS], sds[:LOOKS]  # the residual stands for the target only while the model is fresh
    known = np.isfinite(means) & np.isfinite(sds)
    if not known.any():
        return None
    variance = float(np.mean(sds[known] ** 2)) + float(np.var(means[known]))
    # A large residual may be a large target or a prediction that has exploded.
    return None if _by_hand(trace.of("objective")[place]) and variance > LARGE else variance


def _by_hand(site: Site) -> bool:
    return site.attrs.get("compares") in ("squared", "absolute")


def _is_the_loss(trace: Trace, line: str, signal: Signal, place: int) -> bool:
    """Whether the loss that was minimised is the objective's mean, at the looks that have both."""
    losses = {site.name: i for i, site in enumerate(trace.of("loss"))}
    values = column(trace, signal, place)
    if line not in losses or not values.size:
        return False
    _, here, there = np.intersect1d(trace.at(signal), trace.at(LOSS), return_indices=True)
    objective, loss = values[here], column(trace, LOSS, losses[line])[there]
    known = np.isfinite(objective) & np.isfinite(loss)
    if not known.any():
        return False
    with np.errstate(all="ignore"):
        apart = np.abs(objective[known] - loss[known]) / np.maximum(np.abs(loss[known]), 1e-30)
    return float(np.median(apart)) < AGREEMENT
