"""How many examples the gradient needs: the noise scale beside the batch size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.agreement import cosines
from trimtab.core.signal import TARGET_COUNT
from trimtab.core.trace import Floats, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import BLUE, HEIGHT, ORANGE, across, altair, powers_of_ten, short, specification
from trimtab.report.figures.loss_curve import moving_average
from trimtab.report.figures.thin import STEPS, striking_points
from trimtab.report.quantity import number

_LOOK_BACK = 10.0  # looks: a single cosine says next to nothing
_LEAST = 5


@dataclass(frozen=True, slots=True)
class NoiseScale:
    """{step: [...], noise: [...]} in one row, and the examples of a batch."""

    row: dict[str, Any]
    batch: float
    span: tuple[float, float]

    def spec(self) -> dict[str, Any]:
        """A line on a logarithmic axis, and a dashed one at the batch size."""
        alt = altair()
        domain, powers = powers_of_ten(*self.span)
        scale = alt.Scale(type="log", domain=domain, clamp=True)
        line = (
            alt.Chart(alt.InlineData(values=[self.row]), height=HEIGHT)
            .transform_flatten(["step", "noise"])
            .mark_line(strokeWidth=2, color=BLUE, point={"size": 14, "color": BLUE})
            .encode(
                x=across(),
                y=alt.Y("noise:Q", scale=scale, title="examples", axis=alt.Axis(format="~s", values=powers)),
                tooltip=["step:Q", alt.Tooltip("noise:Q", format=".3g", title="noise scale")],
            )
        )
        guide = alt.Chart(alt.InlineData(values=[{"batch": self.batch}]))
        return specification(alt.layer(guide.mark_rule(strokeDash=[4, 3], color=ORANGE).encode(y="batch:Q"), line))


def chart(trace: Trace) -> Chart | None:
    """B (1/c − 1), c the mean cosine of successive gradients, B the examples of a batch; where c > 0."""
    batch = _batch(trace)
    steps, values = cosines(trace)
    if batch is None or len(steps) < _LEAST:
        return None
    agreement = moving_average(values, 1 - 1 / _LOOK_BACK)[_LEAST - 1 :]
    steps = steps[_LEAST - 1 :]
    sound = (agreement > 0) & (agreement < 1)
    if not sound.any():
        return None
    curve = np.full(len(agreement), np.nan)  # gaps where there is no agreement
    curve[sound] = batch * (1 / agreement[sound] - 1)
    kept, noise = striking_points(curve, STEPS), curve[sound]
    row = {"step": [int(step) for step in steps[kept]], "noise": short(curve[kept])}
    caption = f"Examples whose mean gradient would be as much signal as noise. Dashed: the batch of {batch:,.0f}."
    missing = len(sound) - int(sound.sum())
    return Chart(
        width="half",
        title="Gradient noise scale",
        caption=caption + (" Gaps: no agreement at all." if missing else ""),
        alt=f"Gradient noise scale: {number(float(np.median(noise)))} examples in the median, "
        f"batches of {batch:,.0f}; from {number(float(noise[0]))} to {number(float(noise[-1]))}.",
        figure=NoiseScale(row, batch, _span(noise, batch)),
    )


def _batch(trace: Trace) -> float | None:
    """Examples in a batch, as the loss counts them: the median over the looks."""
    counts = trace[TARGET_COUNT]
    finite = counts[np.isfinite(counts) & (counts > 0)]
    return float(np.median(finite)) if len(finite) else None


def _span(noise: Floats, batch: float) -> tuple[float, float]:
    low, high = min(float(noise.min()), batch), max(float(noise.max()), batch)
    return max(low, high / 1e8), math.nextafter(high, math.inf)
