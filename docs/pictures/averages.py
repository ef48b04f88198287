"""EMA, box average and running mean: what each gives to the past, how an EMA starts, how they follow a drift."""

from __future__ import annotations

import altair as alt
import numpy as np

from docs.pictures.style import BLUE, INK, ORANGE, Rows, dots, named, rounded, title
from trimtab.average import EMA, BoxAverage, RunningMean, alpha_of

WINDOW = 19
ALPHA = alpha_of((WINDOW + 1) / 2)  # 0.9: the EMA that is as late and as smooth as this box
Averages = dict[str, EMA | BoxAverage | RunningMean]
NAMES = [f"EMA, α = {ALPHA:.1f}", f"box, n = {WINDOW}", "running mean"]


def chart() -> alt.VConcatChart:
    """Two small panels above, the series below."""
    above = alt.hconcat(_weights(), _start(), spacing=40).resolve_scale(color="independent")
    return alt.vconcat(above, _series(), spacing=24).resolve_scale(color="independent")


def _averages() -> Averages:
    """Those that are compared, fresh."""
    return dict(zip(NAMES, (EMA(ALPHA), BoxAverage(WINDOW), RunningMean()), strict=True))


def _weights() -> alt.Chart:
    """The share of each of 60 observations, read off by averaging unit vectors."""
    rows: Rows = []
    for name, average in _averages().items():
        for unit in np.eye(60):
            average.update(unit)
        rows += [{"j": j, "weight": float(weight), "name": name} for j, weight in enumerate(average.value[:19:-1])]
    panel = alt.Chart(rounded(rows)).mark_line(strokeWidth=2, interpolate="step-after")
    x, y = alt.X("j:Q", title="j steps back"), alt.Y("weight:Q", title="weight")
    head = title("What the past counts", "weight of the observation j steps back, of 60")
    return panel.encode(x=x, y=y, color=named(NAMES)).properties(width=300, height=170, title=head)


def _start() -> alt.LayerChart:
    """An EMA from 0 with and without bias correction, on observations around 1."""
    observations = 1 + 0.15 * np.random.default_rng(1).standard_normal(40)
    averages = {"corrected": EMA(ALPHA), "not corrected": EMA(ALPHA, bias_correction=False)}
    rows: Rows = []
    for name, average in averages.items():
        rows += [{"t": t, "value": average.update(o), "name": name} for t, o in enumerate(observations, 1)]
    x = alt.X("t:Q", title="t, observations so far")
    observed = dots([{"t": t, "o": float(o)} for t, o in enumerate(observations, 1)]).encode(x=x, y="o:Q")
    truth = alt.Chart(rounded([{"y": 1}])).mark_rule(color=INK, strokeDash=[4, 3]).encode(y="y:Q")
    colour = named(list(averages), (BLUE, ORANGE))
    y = alt.Y("value:Q", title="average")
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    head = title("How an EMA starts", "from 0; dots: observed, dashed: the truth")
    return alt.layer(observed, truth, lines).properties(width=300, height=170, title=head)


def _series() -> alt.LayerChart:
    """The three averages on a quantity that drifts and jumps, seen through noise."""
    rng, t = np.random.default_rng(0), np.arange(220)
    truth = np.where(t < 160, 2 + np.sin(t / 36), 3)
    observations = truth + 0.5 * rng.standard_normal(len(t))
    rows: Rows = []
    for name, average in _averages().items():
        rows += [{"t": i, "value": average.update(float(o)), "name": name} for i, o in enumerate(observations)]
    seen = [{"t": i, "o": float(o), "f": float(f)} for i, (o, f) in enumerate(zip(observations, truth, strict=True))]
    x = alt.X("t:Q", title="t, observations so far", axis=alt.Axis(tickCount=10))
    observed = dots(seen, 12).encode(x=x, y=alt.Y("o:Q", title="value"))
    drift = alt.Chart(rounded(seen, 3)).mark_line(color=INK, strokeDash=[4, 3], strokeWidth=1.5).encode(x=x, y="f:Q")
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2).encode(x=x, y="value:Q", color=named(NAMES))
    head = title(
        "A drift and a jump", "dots: observed, dashed: the truth; this EMA is as late and as smooth as this box"
    )
    return alt.layer(observed, drift, lines).properties(width=690, height=240, title=head)
