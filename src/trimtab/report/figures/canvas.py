"""What all charts share: how values are written, how sites are ordered, how a chart becomes a specification."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from trimtab.core.signal import SiteKind
from trimtab.core.trace import Site, Trace

BLUE, ORANGE, ALARM = "#4a86c5", "#ee8a2c", "#d6206a"
PALETTE = [BLUE, ORANGE, "#3a9d8f", "#b279a2", "#9d7660", "#8a9a2b"]
THROUGH_DEPTH = [BLUE, "#a28bab", ORANGE]
_DIGITS = 3


def in_order(trace: Trace, kind: SiteKind) -> list[int]:
    """Columns of a kind of site in execution order; sites without one keep their place behind the others."""
    sites = trace.of(kind)
    return sorted(range(len(sites)), key=lambda column: order_of(sites[column]))


def order_of(site: Site) -> float:
    """The site's place in the execution order, infinity where it is unknown."""
    order = site.attrs.get("order")
    return float(order) if isinstance(order, (int, float)) else math.inf


def short(values: Iterable[float]) -> list[float | None]:
    """Numbers with three significant digits, nothing for those that are not finite: half of the page is such numbers."""
    return [_short(float(value)) for value in values]


def _short(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{_DIGITS - 1}e}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e9 else rounded


def height(rows: int) -> int:
    """Pixels for a chart with a row for each layer."""
    return min(max(18 * rows, 54), 432)


def row_axis(labels: Sequence[str]) -> dict[str, Any]:
    """A vertical axis with a place for each label, in order, and as many of the labels as can be read."""
    every = math.ceil(13 * len(labels) / height(len(labels)))
    return {"title": None, "values": list(labels[::every]), "labelLimit": 130, "ticks": False, "domain": False}


def step_axis(steps: Sequence[int]) -> dict[str, Any]:
    """A horizontal axis with a place for each sampled step."""
    every = math.ceil(len(steps) / 8)
    return {"title": "step", "values": list(steps[::every]), "labelAngle": 0, "labelOverlap": "greedy", "ticks": False}


def specification(chart: Any, height: int, renderer: str = "svg") -> dict[str, Any]:
    """A chart as a valid Vega-Lite specification that fills the width it is given."""
    options = {"embedOptions": {"renderer": renderer}}
    return chart.properties(width="container", height=height, usermeta=options).to_dict()
