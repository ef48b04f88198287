"""The backward gain M of each layer at each step: what it passes back of the gradient that reaches the next one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Site, Trace
from trimtab.report.figures.canvas import in_order

_REACH = 6.0  # decades: what lies beyond them is drawn at the edge


def log_gains(trace: Trace) -> Floats:
    """log₁₀ M_i = log₁₀ ‖dL/dφ_i‖ / ‖dL/dφ_{i+1}‖, [T, S]; NaN where no layer follows or a norm is 0 or not finite."""
    sites, norms = trace.of("layer"), trace[DELTA_NORM]
    gains = np.full(norms.shape, np.nan)
    logs = np.full(norms.shape, np.nan)
    sound = np.isfinite(norms) & (norms > 0)
    logs[sound] = np.log10(norms[sound])
    for here, after in _successive(sites, in_order(trace, "layer")):
        gains[:, here] = np.maximum(np.minimum(logs[:, here] - logs[:, after], _REACH), -_REACH)
    return gains


def _successive(sites: tuple[Site, ...], order: list[int]) -> Iterator[tuple[int, int]]:
    """Layers and those that follow them in one chain: where the depth falls back, another model or branch begins."""
    for here, after in pairwise(order):
        above, below = sites[here].attrs.get("depth"), sites[after].attrs.get("depth")
        if not (isinstance(above, int) and isinstance(below, int) and above >= below):
            yield here, after
