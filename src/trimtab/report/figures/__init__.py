"""The charts of a report, one file each: what a chart shows of a trace, thinned, and how it is drawn."""

from __future__ import annotations

from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures import backward_gain, gradient_map, loss_curve, lost_units, update_ratio

_CHARTS = (loss_curve, gradient_map, backward_gain, lost_units, update_ratio)


def charts(trace: Trace) -> list[Chart]:
    """Every chart that the trace has data for, in the order in which they are read."""
    made = (module.chart(trace) for module in _CHARTS)
    return [chart for chart in made if chart is not None]
