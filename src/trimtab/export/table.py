"""The measurements as one long table: a row for each value, however many sites a signal has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.core.signal import Signal
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.export.sites import site_names

COLUMNS = ("step", "signal", "site_kind", "site", "value", "unit")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one signal: `places` are indices into `sites`; what was not measured has no row."""

    signal: Signal
    sites: tuple[str, ...]
    steps: Ints
    places: Ints
    values: Floats


def parts(trace: Trace, signals: Sequence[Signal]) -> Iterator[Part]:
    """The table, signal by signal, in the order of the steps."""
    for signal in signals:
        values = trace[signal]
        rows, places = np.nonzero(~np.isnan(values))
        yield Part(signal, tuple(site_names(trace, signal.per)), trace.at(signal)[rows], places, values[rows, places])
