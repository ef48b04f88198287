"""What all charts share: how values are written, how sites are ordered, how a chart becomes a specification."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from trimtab.core.signal import SiteKind
from trimtab.core.trace import Site, Trace

BLUE, ORANGE, ALARM, SOFT, GREEN = "#4a86c5", "#d97214", "#d6206a", "#8b93a0", "#2f9e74"
PALETTE = [BLUE, ORANGE, "#3a9d8f", "#b279a2", "#9d7660", "#8a9a2b"]
MARKED = "layer"  # the signal that holds the place of the layer that is marked, −1 for none
THROUGH_DEPTH = [BLUE, "#a28bab", ORANGE]


_WIDE = 30.0
HEIGHT = 240  # pixels of a chart that has no row for each layer


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


def up(field: str, title: str, low: float, high: float, zero: bool = False) -> Any:
    """A vertical axis for values from `low` to `high`, logarithmic where these are many times as large as those.

    Where it is not, `zero` has it begin at 0. Where all are the same, that value alone stands at the axis.
    """
    alt = altair()
    if low == high:  # Vega would round the one tick of such an axis to an integer: 0 for a rate of 0.1
        around = alt.Scale(domain=sorted((0.0, 2 * low)) if low else [-1.0, 1.0])
        return alt.Y(f"{field}:Q", title=title, scale=around, axis=alt.Axis(values=[low], format=".3~g"))
    if not (low > 0 and high > _WIDE * low):
        return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=zero), axis=alt.Axis(tickCount=5))
    domain, powers = powers_of_ten(low, high)
    axis = alt.Axis(values=powers, format=figures(domain[0]))
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(type="log", domain=domain), axis=axis)


def powers_of_ten(low: float, high: float) -> tuple[list[float], list[float]]:
    """The decades that hold `low` … `high` as the domain of an axis, and the powers to write at it, at most seven."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    every = math.ceil((last - first) / 6)
    return [10.0**first, 10.0**last], [10.0**power for power in range(first, last + 1, every)]


def decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten over a wide span, over a narrow one 1, 2 and 5 of each."""
    powers = powers_of_ten(low, high)[1]
    fine = [power * mantissa for power in powers for mantissa in (1, 2, 5)]
    return [tick for tick in (powers if high > 100 * low else fine) if low <= tick <= high]


def figures(low: float) -> str:
    """How the ticks of a logarithmic axis that begins at `low` are written: no long rows of zeros."""
    return "~g" if low >= 1e-3 else ".0e"


def altair() -> Any:
    """Altair, imported where a page is drawn: it takes a second, and most of its types are unknown to a checker."""
    return import_module("altair")


def unless_another(whole: float, faint: float) -> Any:
    """A value for marks of rows with a `place`: `faint` while another layer than theirs is marked."""
    alt = altair()
    return alt.condition(f"{MARKED} < 0 || datum.place === {MARKED}", alt.value(whole), alt.value(faint))


def specification(chart: Any, renderer: str = "svg") -> dict[str, Any]:
    """A chart as a valid Vega-Lite specification that fills the width it is given.

    It listens to the signal `MARKED`, which a page sets in all its charts when a layer is chosen in one.
    """
    options = {"embedOptions": {"renderer": renderer}}
    spec: dict[str, Any] = chart.properties(width="container", usermeta=options).to_dict()
    spec["params"] = [{"name": MARKED, "value": -1}, *spec.get("params", [])]
    return spec
