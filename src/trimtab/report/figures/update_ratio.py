"""How far each step moves the weights, in parts of the weights themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import UPDATE_RMS, WEIGHT_RMS
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import PALETTE, THROUGH_DEPTH, order_of, short, specification
from trimtab.report.figures.thin import LINES, STEPS, striking_points, striking_rows
from trimtab.report.names import shorten, unique_labels

_NAMED = 6


@dataclass(frozen=True, slots=True)
class UpdateRatio:
    """Rows {weight, name, depth, step: [...], ratio: [...]} from the first layer to the last."""

    rows: list[dict[str, Any]]

    def spec(self) -> dict[str, Any]:
        """A line for each weight on a logarithmic axis: a few are named, many are coloured by depth."""
        import altair as alt

        across = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickMinStep=1, format=",d"))
        scale = alt.Scale(type="log")
        down = alt.Y("ratio:Q", scale=scale, title="update / weight", axis=alt.Axis(format="~g", tickCount=5))
        tooltip = [alt.Tooltip("name:N", title="weight"), "step:Q", alt.Tooltip("ratio:Q", format=".2e")]
        lines = (
            alt.Chart(alt.InlineData(values=self.rows))
            .transform_flatten(["step", "ratio"])
            .mark_line(strokeWidth=1.5, opacity=0.8)
            .encode(x=across, y=down, color=self._colour(), detail="weight:N", tooltip=tooltip)
        )
        guide = alt.Chart(alt.InlineData(values=[{"ratio": 1e-3}])).mark_rule(strokeDash=[4, 3]).encode(y="ratio:Q")
        return specification(alt.layer(lines, guide), height=260)

    def _colour(self) -> Any:
        import altair as alt

        if len(self.rows) <= _NAMED:
            scale = alt.Scale(domain=[row["weight"] for row in self.rows], range=PALETTE)
            return alt.Color("weight:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2))
        legend = alt.Legend(title="layer, first to last", orient="top", gradientLength=160, format="d", tickCount=3)
        return alt.Color("depth:Q", scale=alt.Scale(range=THROUGH_DEPTH), legend=legend)


def chart(trace: Trace) -> Chart | None:
    """RMS(Δw) / RMS(w) of every weight tensor that a step moved; biases start at zero, so theirs tells nothing."""
    steps, logs = _log_ratios(trace)
    sites = trace.of("parameter")
    weights = [column for column in _through_depth(trace) if np.isfinite(logs[:, column]).any()]
    if not weights:
        return None
    chosen = striking_rows(logs[:, weights].T, LINES)
    names = [sites[weights[place]].name for place in chosen]
    rows = [
        _row(label, name, int(place) + 1, steps, logs[:, weights[place]])
        for label, name, place in zip(unique_labels(names), names, chosen, strict=True)
    ]
    medians = {sites[column].name: float(np.nanmedian(logs[:, column])) for column in weights}
    least, most = (f"{10 ** medians[name]:.1e} at {shorten(name)}" for name in _ends(medians))
    return Chart(
        title="Update-to-weight ratio",
        caption="RMS of the change that a step makes, over the RMS of the weights. Dashed: 1e-3, usual in healthy runs.",
        alt=f"Update-to-weight ratio of {len(weights)} weights over {trace.steps:,} steps: from {least} to {most}.",
        figure=UpdateRatio(rows),
    )


def _log_ratios(trace: Trace) -> tuple[Ints, Floats]:
    """log₁₀ of the ratio, [T, S], at the steps at which both parts were measured."""
    steps, moved, stood = np.intersect1d(trace.at(UPDATE_RMS), trace.at(WEIGHT_RMS), return_indices=True)
    update, weight = trace[UPDATE_RMS][moved], trace[WEIGHT_RMS][stood]
    sound = np.isfinite(update) & np.isfinite(weight) & (update > 0) & (weight > 0)
    logs = np.full(update.shape, np.nan)
    logs[sound] = np.log10(update[sound]) - np.log10(weight[sound])
    return steps, logs


def _through_depth(trace: Trace) -> list[int]:
    """Columns of the weight tensors in the execution order of their layers."""
    sites = trace.of("parameter")
    orders = {site.name: order_of(site) for site in trace.of("layer")}
    weights = [column for column in range(len(sites)) if sites[column].attrs.get("role") == "weight"]
    return sorted(weights, key=lambda column: orders.get(str(sites[column].attrs.get("layer")), math.inf))


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


def _ends(medians: dict[str, float]) -> tuple[str, str]:
    return min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
