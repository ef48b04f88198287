"""What all charts share: how values are written, how sites are ordered, how a chart becomes a specification."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from trimtab.core.signal import SiteKind
from trimtab.core.trace import Site, Trace

BLUE, ORANGE, ALARM = "#4a86c5", "#ee8a2c", "#d6206a"
PALETTE = [BLUE, ORANGE, "#3a9d8f", "#b279a2", "#9d7660", "#8a9a2b"]
THROUGH_DEPTH = [BLUE, "#a28bab", ORANGE]


def in_order(trace: Trace, kind: SiteKind) -> list[int]:
    """Columns of a kind of site in execution order; sites without one keep their place behind the others."""
    sites = trace.of(kind)
    return sorted(range(len(sites)), key=lambda column: order_of(sites[column]))


def order_of(site: Site) -> float:
    """The site's place in the execution order, infinity where it is unknown."""
    order = site.attrs.get("order")
    return float(order) if isinstance(order, (int, float)) else math.inf


def short(values: Iterable[float], digits: int = 3) -> list[float | None]:
    """Numbers with a few significant digits, nothing where not finite: half of the page is such numbers."""
    return [_short(float(value), digits) for value in values]


def _short(value: float, digits: int) -> float | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{digits - 1}e}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e9 else rounded


def height(rows: int) -> int:
    """Pixels for a chart with a row for each layer."""
    return min(max(18 * rows, 54), 432)


def down(field: str, labels: Sequence[str]) -> Any:
    """A vertical axis with a place for each label, in order, and as many of the labels as can be read."""
    alt = altair()
    every = math.ceil(13 * len(labels) / height(len(labels)))
    axis = alt.Axis(title=None, values=list(labels[::every]), labelLimit=130, ticks=False, domain=False)
    return alt.Y(f"{field}:N", scale=alt.Scale(domain=list(labels)), axis=axis)


def across() -> Any:
    """A horizontal axis on which steps stand at their distance."""
    alt = altair()
    axis = alt.Axis(grid=False, tickMinStep=1, tickCount=8, labelOverlap="greedy", labelSeparation=8, format=",d")
    return alt.X("step:Q", title="step", axis=axis)


def powers_of_ten(low: float, high: float) -> tuple[list[float], list[float]]:
    """The decades that hold `low` … `high` as the domain of an axis, and the powers to write at it, at most seven."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    every = math.ceil((last - first) / 6)
    return [10.0**first, 10.0**last], [10.0**power for power in range(first, last + 1, every)]


def altair() -> Any:
    """Altair, imported where a page is drawn: it takes a second, and most of its types are unknown to a checker."""
    return import_module("altair")


def specification(chart: Any, renderer: str = "svg") -> dict[str, Any]:
    """A chart as a valid Vega-Lite specification that fills the width it is given."""
    options = {"embedOptions": {"renderer": renderer}}
    return chart.properties(width="container", usermeta=options).to_dict()
