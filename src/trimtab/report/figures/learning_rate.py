"""The learning rate of each optimizer over the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import LEARNING_RATE
from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import HEIGHT, PALETTE, across, altair, short, specification, up
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.names import enumerate_names, unique_labels
from trimtab.report.quantity import number


@dataclass(frozen=True, slots=True)
class LearningRate:
    """Rows {optimizer, step: [...], rate: [...]}."""

    rows: list[dict[str, Any]]
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A line for each optimizer, level between the steps at which its rate was read."""
        alt = altair()
        legend = alt.Legend(title=None, orient="top", labelLimit=220) if len(self.rows) > 1 else None
        return specification(
            alt.Chart(alt.InlineData(values=self.rows), height=HEIGHT)
            .transform_flatten(["step", "rate"])
            .mark_line(strokeWidth=2, interpolate="step-after")
            .encode(
                x=across(),
                y=up("rate", "learning rate", *self.span, zero=True),
                color=alt.Color("optimizer:N", sort=None, scale=alt.Scale(range=PALETTE), legend=legend),
                tooltip=["optimizer:N", "step:Q", alt.Tooltip("rate:Q", format=".3g")],
            )
        )


def chart(trace: Trace) -> Chart | None:
    """The learning rate of the first parameter group of every optimizer."""
    steps, rates = trace.at(LEARNING_RATE), trace[LEARNING_RATE]
    labels = unique_labels([site.name for site in trace.of("optimizer")])
    rows: list[dict[str, Any]] = []
    told: list[str] = []
    for label, values in list(zip(labels, np.transpose(rates), strict=True))[: len(PALETTE)]:
        present = np.flatnonzero(np.isfinite(values))
        if len(present):
            kept = present[striking_points(values[present], STEPS)]
            rows.append({"optimizer": label, "step": [int(s) for s in steps[kept]], "rate": short(values[kept])})
            told.append(f"{label} from {number(float(values[present[0]]))} to {number(float(values[present[-1]]))}")
    if not rows:
        return None
    shown = [rate for row in rows for rate in row["rate"]]
    return Chart(
        width="half",
        title="Learning rate",
        caption="Of the first parameter group, as each step used it.",
        alt=f"Learning rate over {trace.steps:,} steps: {enumerate_names(told, width=80)}.",
        figure=LearningRate(rows, (min(shown), max(shown))),
    )
