"""An EMA of noisy observations for any α: each value is the weighted sum of all the observations before it."""

from __future__ import annotations

import altair as alt
import numpy as np

from docs.pictures.style import BLUE, GREY

COUNT = 120


def chart() -> alt.VConcatChart:
    """The weights of the past above, the average of a series that drifts and jumps below."""
    alpha = alt.param(
        "alpha", value=0.9, bind=alt.binding_range(min=0, max=0.99, step=0.01, name="kept of the past α ")
    )
    unbiased = alt.param("corrected", value=True, bind=alt.binding_checkbox(name="divide by 1 − αᵗ "))
    return alt.vconcat(_series(), _weights(), spacing=28).add_params(alpha, unbiased, _as_parameter())


def _observed() -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(1, COUNT + 1)
    truth = np.where(t <= 80, 2 + np.sin(t / 20), 4)
    return truth, truth + 0.5 * np.random.default_rng(0).standard_normal(COUNT)


def _as_parameter() -> alt.Parameter:
    """The observations where an expression can pick the j-th."""
    return alt.param("observed", value=[round(float(o), 3) for o in _observed()[1]])


def _series() -> alt.LayerChart:
    truth, o = _observed()
    rows = [
        {"t": i, "o": round(float(a), 3), "f": round(float(b), 3)}
        for i, (a, b) in enumerate(zip(o, truth, strict=True), 1)
    ]
    seen = alt.Chart(alt.InlineData(values=rows))
    x, y = alt.X("t:Q", title="t, observations so far"), alt.Y("s:Q", title="value", scale=alt.Scale(domain=[0, 5.5]))
    dots = seen.mark_circle(color=GREY, size=16, opacity=0.7).encode(x, y="o:Q")
    drift = seen.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1.5).encode(x, y="f:Q")
    pairs = seen.transform_calculate(j="sequence(1, datum.t + 1)").transform_flatten(["j"])
    weighted = pairs.transform_calculate(part="observed[datum.j - 1] * (1 - alpha) * pow(alpha, datum.t - datum.j)")
    sums = weighted.transform_aggregate(sum="sum(part)", groupby=["t"])
    line = sums.transform_calculate(s="datum.sum / (corrected ? 1 - pow(alpha, datum.t) : 1)")
    equation = "'s[t] = ' + format(1 - alpha, '.2f') + ' o[t] + ' + format(alpha, '.2f') + ' s[t−1]'"
    reach = "'reaches back over 1/(1−α) = ' + format(1 / (1 - alpha), '.3~r') + ' observations'"
    head = alt.Title(alt.ExprRef(f"[{equation}, {reach}]"))
    drawn = line.mark_line(color=BLUE, strokeWidth=2.2).encode(x, y)
    return alt.layer(dots, drift, drawn).properties(width=640, height=220, title=head)


def _weights() -> alt.Chart:
    steps = alt.Chart(alt.sequence(0, 60, as_="j")).transform_calculate(weight="(1 - alpha) * pow(alpha, datum.j)")
    x = alt.X("j:Q", title="j, steps back", scale=alt.Scale(domain=[-1, 60], nice=False))
    y = alt.Y("weight:Q", title="weight (1−α) αʲ")
    return steps.mark_bar(color=BLUE, width=5).encode(x, y).properties(width=640, height=110)
