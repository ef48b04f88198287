"""The gradient by depth and step: where it vanishes, explodes, or stops being a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.broken import broken
from trimtab.report.figures.canvas import ALARM, altair, in_order, short, specification
from trimtab.report.figures.heat_map import heat_map
from trimtab.report.figures.thin import LAYERS, STEPS, striking_rows
from trimtab.report.names import shorten, unique_labels
from trimtab.report.quantity import number

_DECADES = 12.0
_ZERO = -46.0


@dataclass(frozen=True, slots=True)
class GradientMap:
    """Rows {label, name, step: [...], log: [...]} by depth; `log` is "NaN or Inf" where the norm is not finite."""

    rows: list[dict[str, Any]]
    steps: list[int]
    domain: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A cell for each layer and sampled step, coloured by the logarithm of the norm."""
        alt = altair()
        legend = alt.Legend(title="log₁₀ ‖dL/dφ‖", orient="top", gradientLength=160, tickCount=4, format="d")
        scale = alt.Scale(scheme="viridis", domain=self.domain, clamp=True)
        tooltip = [alt.Tooltip("name:N", title="layer"), "step:O", alt.Tooltip("norm:N", title="‖dL/dφ‖")]
        finite = (
            heat_map(self.rows, self.steps, "log")
            .transform_filter("isNumber(datum.log)")
            .transform_calculate(norm=f"datum.log <= {_ZERO} ? '0' : format(pow(10, datum.log), '.2e')")
            .encode(color=alt.Color("log:Q", scale=scale, legend=legend), tooltip=tooltip)
        )
        marked = (
            heat_map(self.rows, self.steps, "log", color=ALARM)
            .transform_filter("isString(datum.log)")
            .transform_calculate(norm="datum.log")
            .encode(tooltip=tooltip)
        )
        return specification(alt.layer(finite, marked), renderer="canvas")


def chart(trace: Trace) -> Chart | None:
    """The gradient of every layer that was seen, log₁₀ ‖dL/dφ_i‖₂."""
    bad = broken(trace, DELTA_NORM)
    logs = _logs(trace[DELTA_NORM])
    shown = np.where(bad, np.inf, logs)
    columns = [column for column in in_order(trace, "layer") if not np.isnan(shown[:, column]).all()]
    if not columns:
        return None
    columns = [columns[place] for place in striking_rows(np.transpose(shown[:, columns]), LAYERS)]
    kept = striking_rows(shown[:, columns], STEPS)
    steps = [int(step) for step in trace.at(DELTA_NORM)[kept]]
    sites = trace.of("layer")
    labels = unique_labels([sites[column].name for column in columns])
    rows = [
        {
            "label": label,
            "name": shorten(sites[column].name, 60),
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
        title="Gradient by depth and step",
        caption=caption + (" Red: NaN or Inf." if bad[:, columns].any() else ""),
        alt=_told(logs[:, columns], labels),
        figure=GradientMap(rows, steps, _domain(logs[:, columns])),
    )


def _logs(norms: Floats) -> Floats:
    logs = np.full(norms.shape, np.nan)
    positive = np.isfinite(norms) & (norms > 0)
    logs[positive] = np.log10(norms[positive])
    logs[norms == 0] = _ZERO
    return logs


def _domain(logs: Floats) -> tuple[float, float]:
    seen = logs[np.isfinite(logs) & (logs > _ZERO)]
    if not len(seen):
        return -1.0, 0.0
    top = float(np.ceil(seen.max()))
    return max(float(np.floor(seen.min())), top - _DECADES), top


def _told(logs: Floats, labels: list[str]) -> str:
    ends = [column[np.isfinite(column)] for column in (logs[:, 0], logs[:, -1])]
    first, last = (number(float(10 ** np.median(end))) if len(end) else "NaN" for end in ends)
    return (
        f"Heat map of the gradient's norm over {len(labels)} layers: "
        f"in the median {first} at {labels[0]}, {last} at {labels[-1]}."
    )
