"""Which layers a report shows, and by what its charts know that they speak of the same one."""

from __future__ import annotations

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Site, Trace
from trimtab.report.figures.broken import broken
from trimtab.report.figures.canvas import in_order
from trimtab.report.figures.gains import log_gains
from trimtab.report.figures.thin import LAYERS, striking_rows
from trimtab.report.names import unique_labels

NOWHERE = -2  # the place of what belongs to no layer; −1 stands for "no layer is marked"

ZERO = -46.0  # log₁₀ of a gradient that is exactly zero: below what single precision holds


def places(trace: Trace) -> dict[str, int]:
    """The place of every layer in execution order, by its name."""
    sites = trace.of("layer")
    return {sites[column].name: place for place, column in enumerate(in_order(trace, "layer"))}


def place_of(site: Site, known: dict[str, int]) -> int:
    """The place of the layer that an activation follows, that a parameter belongs to, or that a site is."""
    return known.get(str(site.attrs.get("after") or site.attrs.get("layer") or site.name), NOWHERE)


def shown_layers(trace: Trace) -> list[int]:
    """Columns of the layers whose gradient was seen, in execution order; of many those that stand out."""
    logs = log_norms(trace)
    logs[broken(trace, DELTA_NORM)] = np.inf
    columns = [column for column in in_order(trace, "layer") if not np.isnan(logs[:, column]).all()]
    shown = np.concatenate([logs, log_gains(trace)])[:, columns]
    return [columns[place] for place in striking_rows(np.transpose(shown), LAYERS)]


def layer_labels(trace: Trace, columns: list[int]) -> list[str]:
    """Short names of layers, no two alike: the same in every chart that is given the same columns."""
    return unique_labels([trace.of("layer")[column].name for column in columns])


def log_norms(trace: Trace) -> Floats:
    """log₁₀ of the gradient's norm, [T, S]; NaN where it is no finite number, `ZERO` where it is 0."""
    norms = trace[DELTA_NORM]
    logs = np.full(norms.shape, np.nan)
    positive = np.isfinite(norms) & (norms > 0)
    logs[positive] = np.log10(norms[positive])
    logs[norms == 0] = ZERO
    return logs
