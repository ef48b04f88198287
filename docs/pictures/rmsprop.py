"""RMSProp: one learning rate for coordinates of any scale; and the first steps with and without the correction."""

from __future__ import annotations

from typing import Any

import altair as alt
import torch

from docs.pictures.style import BLUE, GREY, ORANGE, PURPLE, Rows, named, rounded, title
from trimtab.optim import SGD, RMSprop

SCALES = (1000.0, 1.0)
LINES = ["SGD, steep", "SGD, flat", "RMSProp, steep", "RMSProp, flat"]
STARTS = {"as torch, from s = 0": False, "bias-corrected": True}


def chart() -> alt.HConcatChart:
    """Two coordinates of very different scale, and the length of the first steps."""
    return alt.hconcat(_scales(), _first_steps(), spacing=40).resolve_scale(color="independent")


def _scales() -> alt.Chart:
    rows = _descend("SGD", SGD, {"lr": 0.0018})
    rows += _descend("RMSProp", RMSprop, {"lr": 0.02, "alpha": 0.9, "bias_correction": True})
    y = alt.Y("size:Q", title="distance from the minimum", scale=alt.Scale(domain=[0, 1], nice=False))
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2.2, clip=True)
    colour = named(LINES, (ORANGE, PURPLE, BLUE, GREY), columns=2)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=LINES, range=[[1, 0], [1, 0], [1, 0], [5, 4]]), legend=None)
    head = title("One weight's slope is 1,000 times the other's", "SGD moves one of them; RMSProp both alike")
    return lines.encode(alt.X("step:Q", title="step"), y, colour, dash).properties(width=330, height=220, title=head)


def _descend(name: str, make: Any, options: dict[str, Any]) -> Rows:
    """How far each of the two weights is from 0."""
    w = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer, rows = make([w], **options), []
    for step in range(81):
        sizes = zip(("steep", "flat"), w.abs().tolist(), strict=True)
        rows += [{"name": f"{name}, {which}", "step": step, "size": size} for which, size in sizes]
        optimizer.zero_grad()
        ((torch.tensor(SCALES) * w**2).sum() / 2).backward()
        optimizer.step()
    return rows


def _first_steps() -> alt.LayerChart:
    """The step over α under a steady gradient."""
    rows = [row for name, corrected in STARTS.items() for row in _lengths(name, corrected)]
    y = alt.Y("length:Q", title="step / α", scale=alt.Scale(domain=[0, 10.5], nice=False))
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2.2).encode(alt.X("step:Q", title="step"), y)
    level = alt.Chart(rounded([{"length": 1.0}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    head = title("The first steps, β = 0.99", "s from 0 is too small: the first step is 1/√(1−β) = 10 α long")
    return alt.layer(level, lines.encode(color=named(list(STARTS), (ORANGE, BLUE)))).properties(
        width=300, height=220, title=head
    )


def _lengths(name: str, corrected: bool) -> Rows:
    w = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer, rows = RMSprop([w], lr=1.0, alpha=0.99, bias_correction=corrected), []
    for step in range(1, 101):
        before, w.grad = w.item(), torch.ones(1, dtype=torch.float64)
        optimizer.step()
        rows.append({"name": name, "step": step, "length": before - w.item()})
    return rows
