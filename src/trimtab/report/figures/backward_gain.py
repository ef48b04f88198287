"""How much of the gradient each layer passes back: M = 1 keeps it, a product of smaller ones lets it vanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import (
    BLUE,
    ORANGE,
    altair,
    decades,
    down,
    height,
    short,
    specification,
    unless_another,
)
from trimtab.report.figures.gains import log_gains
from trimtab.report.figures.placing import layer_labels, places, shown_layers
from trimtab.report.names import shorten
from trimtab.report.quantity import number


@dataclass(frozen=True, slots=True)
class BackwardGain:
    """Rows {layer, name, place, gain, low, high} of `labels`.

    The median over the steps, and the span that holds eight steps of ten.
    """

    rows: list[dict[str, Any]]
    labels: list[str]
    domain: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A dot for each layer on a logarithmic axis, with a line where M = 1."""
        alt = altair()
        scale = alt.Scale(type="log", domain=self.domain, clamp=True, nice=False)
        axis = alt.Axis(format="~g", values=decades(*self.domain), grid=False, labelOverlap="greedy", labelSeparation=8)
        colour = alt.condition("datum.gain < 1", alt.value(BLUE), alt.value(ORANGE))
        tooltip = [alt.Tooltip("name:N", title="layer")]
        tooltip += [alt.Tooltip(f"{key}:Q", format=".3g") for key in ("gain", "low", "high")]
        rows = alt.Chart(alt.InlineData(values=self.rows), height=height(len(self.labels)))
        rows = rows.encode(y=down("layer", self.labels), color=colour, tooltip=tooltip)
        low = alt.X("low:Q", scale=scale, title="gain M", axis=axis)
        spans = rows.mark_rule(strokeWidth=2).encode(x=low, x2="high:Q", opacity=unless_another(0.5, 0.1))
        dots = rows.mark_point(filled=True, size=50).encode(x="gain:Q", opacity=unless_another(1, 0.2))
        one = alt.Chart(alt.InlineData(values=[{"gain": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="gain:Q")
        return specification(alt.layer(one, spans, dots))


def chart(trace: Trace) -> Chart | None:
    """M_i = ‖dL/dφ_i‖ / ‖dL/dφ_{i+1}‖ of every layer that another follows."""
    gains = 10 ** log_gains(trace)
    seen = [column for column in range(gains.shape[1]) if np.isfinite(gains[:, column]).any()]
    if not seen:
        return None
    sites, columns, known = trace.of("layer"), shown_layers(trace), places(trace)
    labels = layer_labels(trace, columns)
    spans = {column: np.nanquantile(gains[:, column], (0.1, 0.5, 0.9)) for column in seen}
    rows = [
        {
            "layer": label,
            "name": shorten(sites[column].name, 60),
            "place": known[sites[column].name],
            **dict(zip(("low", "gain", "high"), short(spans[column]), strict=True)),
        }
        for label, column in zip(labels, columns, strict=True)
        if column in spans
    ]
    medians = {column: float(span[1]) for column, span in spans.items()}
    told = [
        f"{number(medians[column])} at {shorten(sites[column].name)}"
        for column in (min(seen, key=medians.__getitem__), max(seen, key=medians.__getitem__))
    ]
    product = 10 ** float(np.log10(list(medians.values())).sum())
    return Chart(
        width="narrow",
        title="Backward gain of each layer",
        caption="‖dL/dφ‖ of a layer over that of the next one: median and span of 80 % of the steps. Dashed: M = 1.",
        alt=f"Backward gain of {len(seen)} layers: from {told[0]} to {told[1]}, product {product:.1e}.",
        figure=BackwardGain(rows, labels, _domain(np.stack([spans[column] for column in seen]))),
    )


def _domain(spans: Floats) -> tuple[float, float]:
    return float(min(spans.min() / 1.3, 0.5)), float(max(spans.max() * 1.3, 2.0))
