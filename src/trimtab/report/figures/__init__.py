"""The charts of a report, one file each: what a chart shows of a trace, thinned, and how it is drawn."""

from __future__ import annotations

from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures import (
    activation_scale,
    backward_gain,
    gradient_map,
    gradient_norm,
    learning_rate,
    loss_curve,
    lost_units,
    noise_scale,
    update_ratio,
)

# By the names that users ask for, in the order in which they are read; those that stand side by side follow each other.
CHARTS = {
    "gradient-by-depth": gradient_map,
    "backward-gain": backward_gain,
    "loss": loss_curve,
    "gradient-norm": gradient_norm,
    "activation-scale": activation_scale,
    "lost-units": lost_units,
    "update-ratio": update_ratio,
    "learning-rate": learning_rate,
    "noise-scale": noise_scale,
}


def charts(trace: Trace) -> list[Chart]:
    """Every chart that the trace has data for, in the order in which they are read."""
    made = (module.chart(trace) for module in CHARTS.values())
    return [chart for chart in made if chart is not None]
