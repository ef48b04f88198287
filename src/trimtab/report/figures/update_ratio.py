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
    PALETTE,
    THROUGH_DEPTH,
    across,
    altair,
    order_of,
    powers_of_ten,
    short,
    specification,
)
from trimtab.report.figures.thin import LINES, STEPS, striking_points, striking_rows
from trimtab.report.names import shorten, unique_labels

_NAMED = 6


@dataclass(frozen=True, slots=True)
class UpdateRatio:
    """Rows {weight, name, depth, step: [...], ratio: [...]} from the first layer to the last."""

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
            alt.Chart(alt.InlineData(values=self.rows), height=260)
            .transform_flatten(["step", "ratio"])
            .mark_line(strokeWidth=1.5, opacity=0.8)
            .encode(x=across(), y=down, color=self._colour(), detail="weight:N", tooltip=tooltip)
        )
        guide = alt.Chart(alt.InlineData(values=[{"ratio": 1e-3}])).mark_rule(strokeDash=[4, 3]).encode(y="ratio:Q")
        return specification(alt.layer(lines, guide))

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
    names, logs = [trace.of("parameter")[weights[place]].name for place in moved], logs[:, moved]
    chosen = striking_rows(np.transpose(logs), LINES)
    labels = unique_labels([names[place] for place in chosen])
    rows = [
        _row(label, names[place], place + 1, steps, logs[:, place]) for label, place in zip(labels, chosen, strict=True)
    ]
    medians = [float(np.nanmedian(logs[:, place])) for place in range(len(names))]
    least, most = (
        f"{10**value:.1e} at {shorten(names[medians.index(value)])}" for value in (min(medians), max(medians))
    )
    return Chart(
        title="Update-to-weight ratio",
        caption="RMS of the change that a step makes over the RMS of the weights. Dashed: 1e-3, usual in healthy runs.",
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
    """The ratios that are shown, with the healthy 1e-3 among them."""
    finite = logs[np.isfinite(logs)]
    return 10 ** min(float(finite.min()), -3.5), 10 ** max(float(finite.max()), -2.5)


def _row(label: str, name: str, depth: int, steps: Ints, logs: Floats) -> dict[str, Any]:
    present = np.flatnonzero(np.isfinite(logs))
    kept = present[striking_points(logs[present], STEPS)]
    return {
        "weight": label,
        "name": shorten(name, 60),
        "depth": depth,
        "step": [int(step) for step in steps[kept]],
        "ratio": short(10 ** logs[kept]),
    }
