"""How far each step moves the weights, in parts of the weights themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import UPDATE_RMS, WEIGHT_RMS
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import (
    GREEN,
    HEIGHT,
    PALETTE,
    THROUGH_DEPTH,
    across,
    altair,
    order_of,
    powers_of_ten,
    short,
    specification,
    unless_another,
)
from trimtab.report.figures.placing import place_of, places
from trimtab.report.figures.thin import LINES, STEPS, striking_points, striking_rows
from trimtab.report.names import shorten, unique_labels

_NAMED = 6
# Of the healthy programs of clinic/ that are not held out nine in ten have nine in ten of their ratios above the first,
# and nine in ten below the second. Larger models trained for longer lie low in it, about 1e-3.
HEALTHY = (9e-4, 0.13)


@dataclass(frozen=True, slots=True)
class UpdateRatio:
    """Rows {weight, name, depth, place, step: [...], ratio: [...]} from the first layer to the last."""

    rows: list[dict[str, Any]]
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A line for each weight on a logarithmic axis: a few are named, many are coloured by depth."""
        alt = altair()
        domain, powers = powers_of_ten(*self.span)
        scale = alt.Scale(type="log", domain=domain)
        down = alt.Y("ratio:Q", scale=scale, title="update / weight", axis=alt.Axis(format=".0e", values=powers))
        tooltip = [alt.Tooltip("name:N", title="weight"), "step:Q", alt.Tooltip("ratio:Q", format=".2e")]
        lines = (
            alt.Chart(alt.InlineData(values=self.rows), height=HEIGHT)
            .transform_flatten(["step", "ratio"])
            .encode(x=across(), y=down, color=self._colour(), detail="weight:N", tooltip=tooltip)
        )
        drawn = lines.mark_line(strokeWidth=1.5).encode(opacity=unless_another(0.85, 0.12))
        # A line of a pixel and a half is hard to hit: an unseen broad one over it takes the pointer.
        touched = lines.mark_line(strokeWidth=9, opacity=0.001)
        low, high = HEALTHY
        band = alt.Chart(alt.InlineData(values=[{"low": low, "high": high}])).mark_rect(color=GREEN, opacity=0.13)
        return specification(alt.layer(band.encode(y="low:Q", y2="high:Q"), drawn, touched))

    def _colour(self) -> Any:
        alt = altair()
        if len(self.rows) <= _NAMED:
            scale = alt.Scale(domain=[row["weight"] for row in self.rows], range=PALETTE)
            return alt.Color(
                "weight:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=110)
            )
        legend = alt.Legend(title="layer, first to last", orient="top", gradientLength=160, format="d", tickCount=3)
        return alt.Color("depth:Q", scale=alt.Scale(range=THROUGH_DEPTH, interpolate="rgb"), legend=legend)


def chart(trace: Trace) -> Chart | None:
    """RMS(Δw) / RMS(w) of every weight tensor that a step moved; biases start at zero, so theirs tells nothing."""
    weights = _through_depth(trace)
    steps, logs = _log_ratios(trace, weights)
    moved = [place for place in range(len(weights)) if np.isfinite(logs[:, place]).any()]
    if not moved:
        return None
    sites = [trace.of("parameter")[weights[place]] for place in moved]
    names, logs = [site.name for site in sites], logs[:, moved]
    chosen = striking_rows(np.transpose(logs), LINES)
    labels = unique_labels([names[place] for place in chosen])
    known = places(trace)
    rows = [
        {"weight": label, "name": shorten(names[place], 60), "depth": place + 1, "place": place_of(sites[place], known)}
        | _line(steps, logs[:, place])
        for label, place in zip(labels, chosen, strict=True)
    ]
    medians = [float(np.nanmedian(logs[:, place])) for place in range(len(names))]
    least, most = (
        f"{10**value:.1e} at {shorten(names[medians.index(value)])}" for value in (min(medians), max(medians))
    )
    return Chart(
        width="half",
        title="Update-to-weight ratio",
        caption="RMS of the change that a step makes over the RMS of the weights. Band: where healthy runs lie.",
        alt=f"Update-to-weight ratio of {len(names)} weights over {trace.steps:,} steps: from {least} to {most}.",
        figure=UpdateRatio(rows, _span(logs[:, chosen])),
    )


def _through_depth(trace: Trace) -> list[int]:
    """Columns of the weight tensors in the execution order of their layers."""
    sites = trace.of("parameter")
    orders = {site.name: order_of(site) for site in trace.of("layer")}
    weights = [column for column in range(len(sites)) if sites[column].attrs.get("role") == "weight"]
    return sorted(weights, key=lambda column: orders.get(str(sites[column].attrs.get("layer")), math.inf))


def _log_ratios(trace: Trace, columns: list[int]) -> tuple[Ints, Floats]:
    """log₁₀ of the ratio, [T, S], at the steps at which both of its parts were measured."""
    steps, moved, stood = np.intersect1d(trace.at(UPDATE_RMS), trace.at(WEIGHT_RMS), return_indices=True)
    update, weight = trace[UPDATE_RMS][moved][:, columns], trace[WEIGHT_RMS][stood][:, columns]
    sound = np.isfinite(update) & np.isfinite(weight) & (update > 0) & (weight > 0)
    logs = np.full(update.shape, np.nan)
    logs[sound] = np.log10(update[sound] / weight[sound])
    return steps, logs


def _span(logs: Floats) -> tuple[float, float]:
    """The ratios that are shown, with the healthy ones among them."""
    finite = logs[np.isfinite(logs)]
    low, high = HEALTHY
    return min(10 ** float(finite.min()), low), max(10 ** float(finite.max()), high)


def _line(steps: Ints, logs: Floats) -> dict[str, Any]:
    present = np.flatnonzero(np.isfinite(logs))
    kept = present[striking_points(logs[present], STEPS)]
    return {"step": [int(step) for step in steps[kept]], "ratio": short(10 ** logs[kept])}
