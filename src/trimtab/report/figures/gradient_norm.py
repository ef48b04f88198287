"""The length of the whole gradient, as backward leaves it and as the step uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.norms import before_and_after_clipping
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import (
    BLUE,
    HEIGHT,
    ORANGE,
    across,
    altair,
    figures,
    powers_of_ten,
    short,
    specification,
)
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.quantity import number, percent

_SAME = 1e-3  # a smaller difference is rounding
BEFORE, AFTER = "after backward", "as the step used it"


@dataclass(frozen=True, slots=True)
class GradientNorm:
    """Rows {which, step: [...], norm: [...]}: one, or two where something came between backward and step."""

    rows: list[dict[str, Any]]
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A line for each on a logarithmic axis."""
        alt = altair()
        domain, powers = powers_of_ten(*self.span)
        scale = alt.Scale(type="log", domain=domain)
        legend = alt.Legend(title=None, orient="top", labelLimit=220) if len(self.rows) > 1 else None
        colours = alt.Scale(domain=[BEFORE, AFTER], range=[ORANGE, BLUE])
        return specification(
            alt.Chart(alt.InlineData(values=self.rows), height=HEIGHT)
            .transform_flatten(["step", "norm"])
            .mark_line(strokeWidth=1.75, point={"size": 14})
            .encode(
                x=across(),
                y=alt.Y("norm:Q", scale=scale, title="‖g‖", axis=alt.Axis(format=figures(domain[0]), values=powers)),
                color=alt.Color("which:N", sort=None, scale=colours, legend=legend),
                tooltip=["which:N", "step:Q", alt.Tooltip("norm:Q", format=".3g")],
            )
        )


def chart(trace: Trace) -> Chart | None:
    """‖g‖₂ over all parameters whose gradient was seen both after backward and in the step."""
    steps, before, after = before_and_after_clipping(trace)
    sound = np.isfinite(before) & np.isfinite(after) & (after > 0)
    steps, before, after = steps[sound], before[sound], after[sound]
    if not len(steps):
        return None
    changed = np.abs(after / before - 1) > _SAME
    lines = [(BEFORE, before), (AFTER, after)] if changed.any() else [(BEFORE, before)]
    both = np.concatenate([values for _, values in lines])
    caption = "‖g‖₂ over all parameters."
    if changed.any():
        kept = float(np.median(after[changed] / before[changed]))
        caption += (
            f" Changed before the step at {percent(float(changed.mean()))} of the looks, to {number(kept)} of it."
        )
    return Chart(
        width="half",
        title="Gradient norm",
        caption=caption,
        alt=f"Norm of the gradient at {_count(len(steps))}: from {_course(before)} after backward"
        + (f", from {_course(after)} in the step." if changed.any() else "."),
        figure=GradientNorm([_row(which, steps, values) for which, values in lines], (both.min(), both.max())),
    )


def _row(which: str, steps: Ints, values: Floats) -> dict[str, Any]:
    kept = striking_points(values, STEPS)
    return {"which": which, "step": [int(step) for step in steps[kept]], "norm": short(values[kept])}


def _count(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'}"


def _course(values: Floats) -> str:
    return f"{number(float(values[0]))} to {number(float(values[-1]))}"
