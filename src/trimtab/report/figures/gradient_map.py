"""The gradient by depth and step: where it vanishes, explodes, or stops being a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.broken import broken
from trimtab.report.figures.canvas import ALARM, altair, short, specification
from trimtab.report.figures.heat_map import frame, heat_map
from trimtab.report.figures.placing import ZERO, layer_labels, log_norms, places, shown_layers
from trimtab.report.figures.thin import STEPS, striking_rows
from trimtab.report.names import shorten
from trimtab.report.quantity import number

_DECADES = 12.0


@dataclass(frozen=True, slots=True)
class GradientMap:
    """Rows {label, name, place, step: [...], log: [...]} by depth; where a norm is not finite `log` is "NaN or Inf"."""

    rows: list[dict[str, Any]]
    steps: list[int]
    domain: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A cell for each layer and sampled step, coloured by the logarithm of the norm."""
        alt = altair()
        legend = alt.Legend(
            title="log₁₀ ‖dL/dφ‖", orient="bottom", gradientLength=160, values=_whole(*self.domain), format="d"
        )
        scale = alt.Scale(scheme="viridis", domain=self.domain, clamp=True)
        tooltip = [alt.Tooltip("name:N", title="layer"), "step:O", alt.Tooltip("norm:N", title="‖dL/dφ‖")]
        finite = (
            heat_map(self.rows, self.steps, "log")
            .transform_filter("isNumber(datum.log)")
            .transform_calculate(norm=f"datum.log <= {ZERO} ? '0' : format(pow(10, datum.log), '.2e')")
            .encode(color=alt.Color("log:Q", scale=scale, legend=legend), tooltip=tooltip)
        )
        wrong = (
            heat_map(self.rows, self.steps, "log", color=ALARM)
            .transform_filter("isString(datum.log)")
            .transform_calculate(norm="datum.log")
            .encode(tooltip=tooltip)
        )
        return specification(alt.layer(finite, wrong, frame(self.rows)), renderer="canvas")


def chart(trace: Trace) -> Chart | None:
    """The gradient of every layer that was seen, log₁₀ ‖dL/dφ_i‖₂."""
    bad, logs = broken(trace, DELTA_NORM), log_norms(trace)
    columns = shown_layers(trace)
    if not columns:
        return None
    kept = striking_rows(np.where(bad, np.inf, logs)[:, columns], STEPS)
    steps = [int(step) for step in trace.at(DELTA_NORM)[kept]]
    sites, known = trace.of("layer"), places(trace)
    labels = layer_labels(trace, columns)
    rows = [
        {
            "label": label,
            "name": shorten(sites[column].name, 60),
            "place": known[sites[column].name],
            "step": steps,
            "log": [
                "NaN or Inf" if wrong else log
                for wrong, log in zip(bad[kept, column], short(logs[kept, column]), strict=True)
            ],
        }
        for label, column in zip(labels, columns, strict=True)
    ]
    caption = "Top: the first layer. Columns are the sampled steps, dense at the start. Dark: little gradient."
    return Chart(
        width="wide",
        title="Gradient by depth and step",
        caption=caption + (" Red: NaN or Inf." if bad[:, columns].any() else ""),
        alt=_told(logs[:, columns], labels),
        figure=GradientMap(rows, steps, _domain(logs[:, columns])),
    )


def _domain(logs: Floats) -> tuple[float, float]:
    seen = logs[np.isfinite(logs) & (logs > ZERO)]
    if not len(seen):
        return -1.0, 0.0
    top = float(np.ceil(seen.max()))
    return max(float(np.floor(seen.min())), top - _DECADES), top


def _whole(low: float, high: float) -> list[float]:
    """At most five whole numbers to write at the legend: ticks between would be rounded to the same ones."""
    return [float(tick) for tick in range(int(low), int(high) + 1, max(1, math.ceil((high - low) / 4)))]


def _told(logs: Floats, labels: list[str]) -> str:
    ends = [column[np.isfinite(column)] for column in (logs[:, 0], logs[:, -1])]
    first, last = (number(float(10 ** np.median(end))) if len(end) else "NaN" for end in ends)
    return (
        f"Heat map of the gradient's norm over {len(labels)} layers: "
        f"in the median {first} at {labels[0]}, {last} at {labels[-1]}."
    )
