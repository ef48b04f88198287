"""How much of the gradient each layer passes back: M = 1 keeps it, a product of smaller ones lets it vanish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Site, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import (
    BLUE,
    ORANGE,
    altair,
    down,
    height,
    in_order,
    powers_of_ten,
    short,
    specification,
)
from trimtab.report.figures.thin import LAYERS, striking_rows
from trimtab.report.names import shorten, unique_labels
from trimtab.report.quantity import number

_REACH = 1e6


@dataclass(frozen=True, slots=True)
class BackwardGain:
    """Rows {layer, name, gain, low, high}: the median over the steps and the span that holds eight steps of ten."""

    rows: list[dict[str, Any]]
    domain: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A dot for each layer on a logarithmic axis, with a line where M = 1."""
        alt = altair()
        labels = [row["layer"] for row in self.rows]
        scale = alt.Scale(type="log", domain=self.domain, clamp=True, nice=False)
        axis = alt.Axis(format="~g", values=_ticks(*self.domain), grid=False, labelOverlap="greedy", labelSeparation=8)
        colour = alt.condition("datum.gain < 1", alt.value(BLUE), alt.value(ORANGE))
        tooltip = [alt.Tooltip("name:N", title="layer")]
        tooltip += [alt.Tooltip(f"{key}:Q", format=".3g") for key in ("gain", "low", "high")]
        rows = alt.Chart(alt.InlineData(values=self.rows), height=height(len(labels)))
        rows = rows.encode(y=down("layer", labels), color=colour, tooltip=tooltip)
        low = alt.X("low:Q", scale=scale, title="gain M", axis=axis)
        spans = rows.mark_rule(strokeWidth=2, opacity=0.5).encode(x=low, x2="high:Q")
        dots = rows.mark_point(filled=True, size=50, opacity=1).encode(x="gain:Q")
        one = alt.Chart(alt.InlineData(values=[{"gain": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="gain:Q")
        return specification(alt.layer(one, spans, dots))


def chart(trace: Trace) -> Chart | None:
    """M_i = ‖dL/dφ_i‖ / ‖dL/dφ_{i+1}‖ of every layer that another follows."""
    sites, norms = trace.of("layer"), trace[DELTA_NORM]
    pairs = list(_successive(sites, in_order(trace, "layer")))
    gains = np.stack([_ratio(norms[:, i], norms[:, j]) for i, j in pairs], axis=1) if pairs else np.empty((0, 0))
    seen = [place for place in range(gains.shape[1]) if np.isfinite(gains[:, place]).any()]
    if not seen:
        return None
    spans = np.array([np.nanquantile(gains[:, place], (0.1, 0.5, 0.9)) for place in seen])
    kept = striking_rows(np.log10(spans), LAYERS)
    names = [sites[pairs[seen[place]][0]].name for place in kept]
    rows = [
        {"layer": label, "name": shorten(name, 60), **dict(zip(("low", "gain", "high"), short(span), strict=True))}
        for label, name, span in zip(unique_labels(names), names, spans[kept], strict=True)
    ]
    medians = spans[:, 1]
    weakest, strongest = int(np.argmin(medians)), int(np.argmax(medians))
    told = [f"{number(float(medians[p]))} at {shorten(sites[pairs[seen[p]][0]].name)}" for p in (weakest, strongest)]
    return Chart(
        title="Backward gain of each layer",
        caption="‖dL/dφ‖ of a layer over that of the next one: median and span of 80 % of the steps. Dashed: M = 1.",
        alt=f"Backward gain of {len(seen)} layers: from {told[0]} to {told[1]}, product {_product(medians)}.",
        figure=BackwardGain(rows, _domain(spans)),
    )


def _successive(sites: tuple[Site, ...], order: list[int]) -> Iterator[tuple[int, int]]:
    """Layers and those that follow them in one chain: where the depth falls back, another model or branch begins."""
    for here, after in pairwise(order):
        above, below = sites[here].attrs.get("depth"), sites[after].attrs.get("depth")
        if not (isinstance(above, int) and isinstance(below, int) and above >= below):
            yield here, after


def _ratio(norm: Floats, following: Floats) -> Floats:
    """Their ratio where both are positive numbers, within what the chart can show."""
    ratio = np.full(norm.shape, np.nan)
    sound = np.isfinite(norm) & (norm > 0) & np.isfinite(following) & (following > 0)
    ratio[sound] = np.minimum(np.maximum(norm[sound] / following[sound], 1 / _REACH), _REACH)
    return ratio


def _domain(spans: Floats) -> tuple[float, float]:
    return float(min(spans.min() / 1.3, 0.5)), float(max(spans.max() * 1.3, 2.0))


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten over a wide span, over a narrow one 1, 2 and 5 of each."""
    powers = powers_of_ten(low, high)[1]
    fine = [power * mantissa for power in powers for mantissa in (1, 2, 5)]
    return [tick for tick in (powers if high > 100 * low else fine) if low <= tick <= high]


def _product(gains: Floats) -> str:
    return f"{10 ** float(np.log10(gains).sum()):.1e}"
