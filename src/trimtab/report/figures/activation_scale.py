"""The size of the signal through depth: what shrinks, grows or explodes on its way forward, and over the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import IN_SPREAD
from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import (
    BLUE,
    ORANGE,
    altair,
    decades,
    down,
    figures,
    height,
    in_order,
    short,
    specification,
    unless_another,
)
from trimtab.report.figures.placing import layer_labels, places
from trimtab.report.figures.thin import LAYERS, striking_rows
from trimtab.report.names import shorten
from trimtab.report.quantity import number

_LEAST = 1e-30  # a signal that is constant over the examples is drawn at the edge
_DECADES = 24.0


@dataclass(frozen=True, slots=True)
class ActivationScale:
    """Rows {label, name, place, first, last} of `labels`: the spread at the first look and at the last."""

    rows: list[dict[str, Any]]
    labels: list[str]
    domain: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """Two dots for each layer on a logarithmic axis, with a line between them."""
        alt = altair()
        scale = alt.Scale(type="log", domain=self.domain, clamp=True, nice=False)
        ticks = {"values": decades(*self.domain), "format": figures(self.domain[0])}
        axis = alt.Axis(grid=False, labelOverlap="greedy", labelSeparation=8, **ticks)
        tooltip = [alt.Tooltip("name:N", title="layer")]
        tooltip += [alt.Tooltip(f"{key}:Q", format=".3g", title=f"{key} look") for key in ("first", "last")]
        rows = alt.Chart(alt.InlineData(values=self.rows), height=height(len(self.labels)))
        rows = rows.encode(y=down("label", self.labels), tooltip=tooltip)
        at = alt.X("first:Q", scale=scale, axis=axis, title="input sd")
        between = rows.mark_rule(strokeWidth=2, color=BLUE).encode(x=at, x2="last:Q", opacity=unless_another(0.4, 0.1))
        first = rows.mark_point(size=45, color=ORANGE, strokeWidth=2).encode(x=at, opacity=unless_another(1, 0.2))
        last = rows.mark_point(size=50, color=BLUE, filled=True).encode(x="last:Q", opacity=unless_another(1, 0.2))
        one = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="one:Q")
        return specification(alt.layer(one, between, first, last))


def chart(trace: Trace) -> Chart | None:
    """The spread over the examples of the signal that enters each layer, at the first look and at the last."""
    values = trace[IN_SPREAD]
    columns = [column for column in in_order(trace, "layer") if np.isfinite(values[:, column]).any()]
    if not columns:
        return None
    ends = np.stack([_ends(values[:, column]) for column in columns])
    kept = striking_rows(np.log10(ends), LAYERS)
    sites, known = trace.of("layer"), places(trace)
    labels = layer_labels(trace, [columns[place] for place in kept])
    rows = [
        {
            "label": label,
            "name": shorten(sites[columns[place]].name, 60),
            "place": known[sites[columns[place]].name],
            **dict(zip(("first", "last"), short(ends[place]), strict=True)),
        }
        for label, place in zip(labels, kept, strict=True)
    ]
    told = [f"{number(float(end))} at {labels[place]}" for end, place in zip(ends[[0, -1], 1], (0, -1), strict=True)]
    return Chart(
        width="half",
        title="Activation scale through depth",
        caption="sd over the examples of what enters each layer. Ring: the first look. Dot: the last. Dashed: 1.",
        alt=f"Spread of the signal entering {len(columns)} layers, at the last look: {told[0]}, {told[1]}.",
        figure=ActivationScale(rows, labels, _domain(ends)),
    )


def _ends(values: Floats) -> Floats:
    finite = values[np.isfinite(values)]
    return np.maximum(finite[[0, -1]], _LEAST)


def _domain(ends: Floats) -> tuple[float, float]:
    """All that is shown, and 1; of more than `_DECADES` decades the upper ones."""
    high = max(float(ends.max()) * 1.3, 2.0)
    return max(min(float(ends.min()) / 1.3, 0.5), high / 10**_DECADES), high
