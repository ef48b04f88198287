"""The loss as it is and under the recipe, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.course import main_course
from trimtab.core.study import Run, Trial
from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import BLUE, HEIGHT, ORANGE, across, altair, short, specification, up
from trimtab.report.figures.loss_curve import moving_average, smoothing
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.quantity import number


@dataclass(frozen=True, slots=True)
class PairedCurves:
    """Rows {run, seed, step: [...], loss: [...]}."""

    rows: list[dict[str, Any]]
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """One line for each run, one colour for each side."""
        alt = altair()
        colour = alt.Color(
            "run:N", sort=None, scale=alt.Scale(range=[ORANGE, BLUE]), legend=alt.Legend(title=None, orient="top")
        )
        lines = alt.Chart(alt.InlineData(values=self.rows), height=HEIGHT).transform_flatten(["step", "loss"])
        return specification(
            lines.mark_line(strokeWidth=2).encode(
                x=across(),
                y=up("loss", "loss", *self.span),
                color=colour,
                detail="seed:N",
                tooltip=["run:N", "seed:N", "step:Q", "loss:Q"],
            )
        )


def chart(controls: Sequence[Run], trial: Trial) -> Chart | None:
    """The runs of both sides whose loss has a course."""
    rows = [row for name, runs in (("as it is", controls), ("treated", trial.runs)) for row in _rows(name, runs)]
    if not rows:
        return None
    values = [value for row in rows for value in row["loss"] if value is not None]
    ends = {name: number(float(np.median([r["loss"][-1] for r in rows if r["run"] == name]))) for name in _names(rows)}
    told = ", ".join(f"{name} it ends at {end}" for name, end in ends.items())
    return Chart(
        width="whole",
        title="Loss, as it is and under the recipe",
        caption="Moving averages, a line a seed, the same seeds on both sides. "
        "The losses in the table are medians of the last tenth, which single spikes do not move.",
        alt=f"Loss over steps: {told}.",
        figure=PairedCurves(rows, (min(values), max(values))),
    )


def _rows(name: str, runs: Sequence[Run]) -> list[dict[str, Any]]:
    rows = (row_of(name, run.seed, run.trace) for run in runs if run.trace is not None)
    return [row for row in rows if row is not None]


def row_of(name: str, seed: int, trace: Trace) -> dict[str, Any] | None:
    """The moving average of the main loss of a run; None where it has no course."""
    course = main_course(trace)
    if course is None:
        return None
    averages = moving_average(course.values, smoothing(len(course.values)))
    kept = striking_points(averages, STEPS)
    steps = [int(step) for step in course.steps[kept]]
    return {"run": name, "seed": seed, "step": steps, "loss": short(averages[kept], 6)}


def _names(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["run"] for row in rows))
