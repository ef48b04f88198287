"""The loss over steps, each site in its colour, under its bias-corrected average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import IN_RMS, LOSS
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.methods.gain import of_corrected_ema
from trimtab.report.blocks import Chart
from trimtab.report.figures.broken import Mask, broken
from trimtab.report.figures.canvas import ALARM, HEIGHT, PALETTE, SOFT, across, altair, short, specification, up
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.names import enumerate_names, unique_labels
from trimtab.report.quantity import number


@dataclass(frozen=True, slots=True)
class LossCurve:
    """Rows {site, step: [...], loss: [...], average: [...]}, {site, step} where one is not finite, and the looks."""

    rows: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    looks: list[int]
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """Raw values faint, the average strong; at the foot a tick for each look and each loss that is not finite."""
        alt = altair()
        legend = alt.Legend(title=None, orient="top", labelLimit=220) if len(self.rows) > 1 else None
        colour = alt.Color("site:N", sort=None, scale=alt.Scale(range=PALETTE), legend=legend)
        points = alt.Chart(alt.InlineData(values=self.rows), height=HEIGHT).transform_flatten(
            ["step", "loss", "average"]
        )
        raw = points.mark_line(strokeWidth=1, opacity=0.45).encode(
            x=across(), y=up("loss", "loss", *self.span), color=colour
        )
        tooltip = ["site:N", "step:Q", "loss:Q", alt.Tooltip("average:Q", format=".3g")]
        alone = any(len(row["step"]) == 1 for row in self.rows)  # a line through one point is nothing
        smooth = points.mark_line(strokeWidth=2.5, point=alone).encode(
            x=across(), y="average:Q", color=colour, tooltip=tooltip
        )
        foot = alt.value("height")
        looks = alt.Chart(alt.InlineData(values=[{"step": step} for step in self.looks]))
        looks = looks.mark_tick(color=SOFT, thickness=1, size=6, yOffset=-3).encode(x="step:Q", y=foot)
        broken = alt.Chart(alt.InlineData(values=self.marks)).mark_tick(color=ALARM, thickness=2, size=14, yOffset=-7)
        broken = broken.encode(x="step:Q", y=foot, tooltip=["site:N", "step:Q"])
        at_foot = [layer for layer, there in ((looks, self.looks), (broken, self.marks)) if there]
        return specification(alt.layer(*at_foot, raw, smooth))


def chart(trace: Trace) -> Chart | None:
    """The loss of every site that was seen."""
    steps, values, bad = trace.at(LOSS), trace[LOSS], broken(trace, LOSS)
    measured = _best_measured(values)
    if not measured:
        return None
    alpha = smoothing(len(steps))
    labels = unique_labels([site.name for site in trace.of("loss")])
    rows = [_row(labels[column], steps, values[:, column], alpha) for column in measured]
    marks = [mark for column in measured for mark in _marks(labels[column], steps, bad[:, column])]
    finite = values[np.isfinite(values)]
    told = [f"{labels[column]} {_course(values[:, column])}" for column in measured]
    caption = f"Thin: measured. Bold: moving average, α = {alpha:.3g}, corrected for its start at zero."
    looks = trace.at(IN_RMS)
    looks = [int(step) for step in looks[:: max(1, math.ceil(len(looks) / STEPS))]]
    caption += " Grey ticks: the steps that were looked at." if looks else ""
    return Chart(
        width="half",
        title="Loss",
        caption=caption + (" Red ticks: NaN or Inf." if marks else ""),
        alt=f"Loss over {trace.steps:,} steps: {enumerate_names(told, width=80)}.",
        figure=LossCurve(rows, marks, looks, (float(finite.min()), float(finite.max()))),
    )


def _best_measured(values: Floats) -> list[int]:
    """The sites with the most readings, in their order; more than there are colours cannot be told apart."""
    readings = [int(np.isfinite(column).sum()) for column in np.transpose(values)]
    ranked = sorted((column for column in range(len(readings)) if readings[column]), key=lambda c: -readings[c])
    return sorted(ranked[: len(PALETTE)])


def smoothing(readings: int) -> float:
    """α of the moving average: it looks back over a thirtieth of the readings, at least five."""
    return 1 - 1 / max(5.0, readings / 30)


def moving_average(values: Floats, alpha: float) -> Floats:
    """The bias-corrected EMA after each value; values that are not finite are passed over."""
    averages = np.full(len(values), np.nan)
    average = 0.0
    for t, place in enumerate(np.flatnonzero(np.isfinite(values)), start=1):
        average += of_corrected_ema(alpha, t * math.log(alpha)) * (values[place] - average)
        averages[place] = average
    return averages


def _row(label: str, steps: Ints, values: Floats, alpha: float) -> dict[str, Any]:
    present = np.flatnonzero(np.isfinite(values))
    kept = present[striking_points(values[present], STEPS)]
    averages = moving_average(values, alpha)
    return {
        "site": label,
        "step": [int(step) for step in steps[kept]],
        "loss": short(values[kept], 6),
        "average": short(averages[kept], 6),
    }


def _marks(label: str, steps: Ints, bad: Mask) -> list[dict[str, Any]]:
    """At most STEPS of the steps at which the loss was not finite, evenly taken."""
    at = [int(step) for step in steps[bad]]
    return [{"site": label, "step": step} for step in at[:: max(1, math.ceil(len(at) / STEPS))]]


def _course(values: Floats) -> str:
    finite = values[np.isfinite(values)]
    return f"from {number(float(finite[0]))} to {number(float(finite[-1]))}"
