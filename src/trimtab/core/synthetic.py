"""Small traces made by hand: the examples of rules, and the ground of tests that need no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from trimtab.core.signal import Signal, SiteKind
from trimtab.core.trace import Event, Scalar, Series, Site, Trace


def synthetic_trace(
    sites: Mapping[SiteKind, Sequence[Site | str]],
    signals: Mapping[Signal, ArrayLike],
    *,
    steps: int | None = None,
    events: Sequence[Event] = (),
    meta: Mapping[str, Scalar] | None = None,
) -> Trace:
    """A trace from plain arrays: each signal is [T, S], [T] for a single site, or a tuple (steps [T], values).

    A site may be given by its name alone. Without explicit steps a signal is sampled at 0, 1, …, T−1.
    """
    placed: dict[SiteKind, tuple[Site, ...]] = {
        kind: tuple(s if isinstance(s, Site) else Site(kind, s) for s in group) for kind, group in sites.items()
    }
    series: dict[str, Series] = {}
    for signal, given in signals.items():
        at, values = given if isinstance(given, tuple) else (None, given)
        array = np.asarray(values, dtype=np.float64)
        array = array[:, None] if array.ndim == 1 else array
        if array.shape[1] != len(placed.get(signal.per, ())):
            raise ValueError(f"{signal.name} has {array.shape[1]} columns for {len(placed.get(signal.per, ()))} sites")
        series[signal.name] = Series(np.arange(len(array)) if at is None else np.asarray(at, dtype=np.int64), array)
    longest = max((int(s.steps[-1]) + 1 for s in series.values() if len(s.steps)), default=0)
    return Trace(placed, series, longest if steps is None else steps, tuple(events), dict(meta or {}))
