"""The losses of two runs in one chart."""

from __future__ import annotations

from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.paired_curves import PairedCurves, row_of
from trimtab.report.quantity import number


def chart(a: Trace, b: Trace) -> Chart | None:
    """The moving averages of both main losses; nothing where neither was seen."""
    rows = [row for row in (row_of("A", 0, a), row_of("B", 0, b)) if row is not None]
    values = [value for row in rows for value in row["loss"] if value is not None]
    if not values:
        return None
    ends = ", ".join(f"{row['run']} ends at {number(row['loss'][-1])}" for row in rows if row["loss"][-1] is not None)
    return Chart(
        width="whole",
        title="Loss of both runs",
        caption="Moving averages, corrected for their start at zero.",
        alt=f"Loss over steps: {ends}.",
        figure=PairedCurves(rows, (min(values), max(values))),
    )
