"""The losses of two runs in one chart."""

from __future__ import annotations

from typing import Any

from trimtab.core.course import main_course
from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import short
from trimtab.report.figures.loss_curve import moving_average, smoothing
from trimtab.report.figures.paired_curves import PairedCurves
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.quantity import number

_WIDE = 30.0


def chart(a: Trace, b: Trace) -> Chart | None:
    """The moving averages of both main losses; nothing where neither was seen."""
    rows = [row for row in (_row("A", a), _row("B", b)) if row is not None]
    values = [value for row in rows for value in row["loss"] if value is not None]
    if not values:
        return None
    ends = ", ".join(f"{row['run']} ends at {number(row['loss'][-1])}" for row in rows if row["loss"][-1] is not None)
    return Chart(
        title="Loss of both runs",
        caption="Moving averages, corrected for their start at zero.",
        alt=f"Loss over steps: {ends}.",
        figure=PairedCurves(rows, bool(min(values) > 0 and max(values) > _WIDE * min(values))),
    )


def _row(name: str, trace: Trace) -> dict[str, Any] | None:
    course = main_course(trace)
    if course is None:
        return None
    averages = moving_average(course.values, smoothing(len(course.values)))
    kept = striking_points(averages, STEPS)
    steps = [int(step) for step in course.steps[kept]]
    return {"run": name, "seed": 0, "step": steps, "loss": short(averages[kept], 6)}
