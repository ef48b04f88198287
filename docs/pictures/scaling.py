"""γ and κ: which part of the next activation is used, and how a layer learns them."""

from __future__ import annotations

import altair as alt
import numpy as np
import torch

from docs.pictures.style import BLUE, GREEN, GREY, ORANGE, Rows, named, rounded, title
from trimtab.nn import BatchNorm1d
from trimtab.optim import SGD

RANGES = {
    "γ = 3, κ = 0: all of it": (3.0, 0.0),
    "γ = 1, κ = 0: where it starts": (1.0, 0.0),
    "γ = 1, κ = 4: flat": (1.0, 4.0),
}
LEARNED = ["γ", "κ"]


def chart() -> alt.HConcatChart:
    """A sigmoid and the parts of it that are used; γ and κ by step."""
    return alt.hconcat(_sigmoid(), _learning(), spacing=40).resolve_scale(color="independent")


def _sigmoid() -> alt.LayerChart:
    x = alt.X("z:Q", title="what the sigmoid is given", scale=alt.Scale(domain=[-7, 7], nice=False))
    y = alt.Y("out:Q", title="what it puts out")
    whole = alt.Chart(rounded(_curve("", -7, 7))).mark_line(color=GREY, strokeWidth=1.5).encode(x, y)
    rows = [row for name, (g, k) in RANGES.items() for row in _curve(name, k - 2 * g, k + 2 * g)]
    used = alt.Chart(rounded(rows)).mark_line()
    colour = named(list(RANGES), (GREEN, BLUE, ORANGE), columns=1, labelLimit=300)
    width = alt.StrokeWidth("name:N", scale=alt.Scale(domain=list(RANGES), range=[11, 4, 4]), legend=None)
    head = title("The part that is used", "for 19 of 20 normalised values, |x| < 2")
    return alt.layer(whole, used.encode(x, y, color=colour, strokeWidth=width)).properties(
        width=310, height=210, title=head
    )


def _curve(name: str, low: float, high: float) -> Rows:
    return [{"name": name, "z": float(z), "out": float(1 / (1 + np.exp(-z)))} for z in np.linspace(low, high, 61)]


def _learning() -> alt.LayerChart:
    """A batch norm that is asked for its input, of mean 3 and deviation 2, back."""
    torch.manual_seed(0)
    layer, rows = BatchNorm1d(1), []
    optimizer = SGD(layer.parameters(), lr=0.05)
    for step in range(81):
        values = zip(LEARNED, (layer.weight.item(), layer.bias.item()), strict=True)
        rows += [{"name": name, "step": step, "value": value} for name, value in values]
        x = 3 + 2 * torch.randn(64, 1)
        optimizer.zero_grad()
        (layer(x) - x).square().mean().backward()
        optimizer.step()
    y = alt.Y("value:Q", title="γ, κ")
    goal = alt.Chart(rounded([{"value": 2.0}, {"value": 3.0}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2.2)
    head = title("Asked for its input back", "dashed: its deviation 2 and its mean 3")
    drawn = lines.encode(alt.X("step:Q", title="step"), y, color=named(LEARNED, (BLUE, ORANGE)))
    return alt.layer(goal, drawn).properties(width=300, height=210, title=head)
