"""The layers as numbers: one row each with what the charts show of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trimtab.core.signal import DEAD, DELTA_NORM, IN_SPREAD, SATURATED, UPDATE_RMS, WEIGHT_RMS, Signal
from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import LayerRow, Layers
from trimtab.report.figures.gains import log_gains
from trimtab.report.figures.placing import layer_labels, place_of, places, shown_layers
from trimtab.report.names import shorten
from trimtab.report.quantity import number, percent


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    write: Callable[[float], str]
    values: Floats  # by the layer's place; NaN where it has none


def layers(trace: Trace) -> Layers | None:
    """The layers that the charts show; a column is left out where nothing was measured."""
    shown = shown_layers(trace)
    known = places(trace)
    columns = [column for column in _columns(trace, known) if np.isfinite(column.values).any()]
    if not shown or not columns:
        return None
    sites = trace.of("layer")
    rows = [
        LayerRow(place, label, shorten(sites[site].name, 60), tuple(_cell(column, place) for column in columns))
        for site, label in zip(shown, layer_labels(trace, shown), strict=True)
        for place in [known[sites[site].name]]
    ]
    caption = "Medians over the looks; dead and saturated: the last look."
    if len(rows) < len(sites):
        caption += f" {len(rows):,} of {len(sites):,} layers: those that stand out."
    return Layers(caption, tuple(column.head for column in columns), tuple(rows))


def _columns(trace: Trace, known: dict[str, int]) -> list[_Column]:
    _, moved, stood = np.intersect1d(trace.at(UPDATE_RMS), trace.at(WEIGHT_RMS), return_indices=True)
    with np.errstate(all="ignore"):
        ratios = trace[UPDATE_RMS][moved] / trace[WEIGHT_RMS][stood]
    weights = np.array([site.attrs.get("role") == "weight" for site in trace.of("parameter")], dtype=bool)
    ratios[:, ~weights] = np.nan
    return [
        _Column("gain M", number, _by_place(trace, known, DELTA_NORM, 10 ** log_gains(trace))),
        _Column("‖dL/dφ‖", number, _by_place(trace, known, DELTA_NORM, trace[DELTA_NORM])),
        _Column("input sd", number, _by_place(trace, known, IN_SPREAD, trace[IN_SPREAD])),
        _Column("update / weight", number, _by_place(trace, known, UPDATE_RMS, ratios)),
        _Column("dead", percent, _by_place(trace, known, DEAD, trace[DEAD], last=True)),
        _Column("saturated", percent, _by_place(trace, known, SATURATED, trace[SATURATED], last=True)),
    ]


def _by_place(trace: Trace, known: dict[str, int], signal: Signal, values: Floats, last: bool = False) -> Floats:
    """One number a layer: the median of what was measured at its sites, or the last of it; of several the largest."""
    found = np.full(len(known), np.nan)
    for site, series in zip(trace.of(signal.per), np.transpose(values), strict=False):
        place, finite = place_of(site, known), series[np.isfinite(series)]
        if place >= 0 and len(finite):
            value = float(finite[-1]) if last else float(np.median(finite))
            found[place] = np.fmax(found[place], value)
    return found


def _cell(column: _Column, place: int) -> str:
    value = float(column.values[place])
    return column.write(value) if np.isfinite(value) else "–"
