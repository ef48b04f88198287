"""How much of the loss the weights hold: the gradient and the weights of a run as one vector each."""

from __future__ import annotations

import numpy as np

from trimtab.core.norms import total_norm
from trimtab.core.signal import GRAD_RMS, WEIGHT_RMS
from trimtab.core.trace import Floats, Ints, Trace


def elasticity(trace: Trace, loss: Floats, at: Ints) -> Floats:
    """‖g‖ ‖w‖ / |loss| at the looks: per cent of the loss for each per cent that the weights move, at best."""
    steps, grads, weights = np.intersect1d(trace.at(GRAD_RMS), trace.at(WEIGHT_RMS), return_indices=True)
    _, here, there = np.intersect1d(steps, at, return_indices=True)
    if not here.size:
        return np.empty(0)
    with np.errstate(all="ignore"):
        return (
            total_norm(trace, GRAD_RMS)[grads][here]
            * total_norm(trace, WEIGHT_RMS)[weights][here]
            / np.maximum(np.abs(loss[there]), 1e-30)
        )
