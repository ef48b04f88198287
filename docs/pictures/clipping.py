"""Clipping by value bends a gradient, clipping by norm shortens it; and what either saves a descent from."""

from __future__ import annotations

import altair as alt
import numpy as np
import torch

from docs.pictures.style import BLUE, GREY, INK, ORANGE, PALE, Rows, rounded, title
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.optim import SGD

GRADIENTS = torch.tensor([[2.7, 0.6], [1.9, 1.9], [0.45, 2.6], [-2.0, 1.2], [-0.6, -0.5], [0.7, -2.1]])
WALL = 40.0  # its slope; the slope of the plain is −1/2


def chart() -> alt.HConcatChart:
    """The two clips of the same gradients, and a descent beside a wall."""
    value = ClipByValue(1.0).bound(GRADIENTS)
    norm = torch.stack([ClipByNorm(1.0).shorten(g, g.norm()) for g in GRADIENTS])
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)]
    circle = [(float(np.cos(a)), float(np.sin(a))) for a in np.linspace(0, 2 * np.pi, 49)]
    by_value = _arrows(title("By value: another direction", "each coordinate into [−1, 1]"), value, corners, ORANGE)
    by_norm = _arrows(title("By norm: the same direction", "length at most 1; a short one stays"), norm, circle, BLUE)
    return alt.hconcat(by_value, by_norm, _wall(), spacing=26).resolve_scale(color="independent")


def _arrows(head: alt.Title, clipped: torch.Tensor, border: list[tuple[float, float]], colour: str) -> alt.LayerChart:
    """The gradients in grey, what remains of them in colour, and the border that none crosses."""
    scale = alt.Scale(domain=[-3, 3], nice=False)
    axis = alt.Axis(values=[-3, -1, 1, 3])
    x, y = alt.X("x:Q", title="g₁", scale=scale, axis=axis), alt.Y("y:Q", title="g₂", scale=scale, axis=axis)
    edge = alt.Chart(rounded([{"x": a, "y": b, "i": i} for i, (a, b) in enumerate(border)]))
    layers = [
        edge.mark_line(color=INK, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y, order="i:Q"),
        *_arrow(GRADIENTS, GREY, 1.5),
        *_arrow(clipped, colour, 3),
    ]
    return alt.layer(*layers).properties(width=215, height=215, title=head)


def _arrow(tips: torch.Tensor, colour: str, width: float) -> list[alt.Chart]:
    """From 0 to each tip."""
    rows = [{"x": x, "y": y, "angle": float(np.degrees(np.arctan2(x, y)))} for x, y in tips.tolist()]
    tails = [{**row, "i": i} for i, row in enumerate(rows)] + [{"x": 0.0, "y": 0.0, "i": i} for i in range(len(rows))]
    lines = alt.Chart(rounded(tails)).mark_line(color=colour, strokeWidth=width).encode(x="x:Q", y="y:Q", detail="i:N")
    size = 20 + 12 * width
    heads = alt.Chart(rounded(rows)).mark_point(shape="triangle", filled=True, color=colour, opacity=1, size=size)
    return [lines, heads.encode(x="x:Q", y="y:Q", angle=alt.Angle("angle:Q", scale=None))]


def _wall() -> alt.LayerChart:
    """A weight that walks down a gentle slope to the foot of a wall."""
    names = ["not clipped", "clipped to length 1"]
    rows = _walk(names[0], None) + _walk(names[1], ClipByNorm(1.0))
    y = alt.Y("low:Q", title="weight", scale=alt.Scale(domain=[-3.2, 1.6], nice=False))
    wall = alt.Chart(rounded([{"low": 1.0, "high": 1.6}])).mark_rect(color=PALE).encode(y=y, y2="high:Q")
    x = alt.X("step:Q", title="step")
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2).encode(x, y="w:Q", color=_without_legend(names))
    labels: Rows = [
        {"step": 30, "w": 1.3, "name": "a wall: the slope is 40"},
        {"step": 51, "w": -2.75, "name": names[0]},
        {"step": 46, "w": 0.7, "name": names[1]},
    ]
    text = alt.Chart(rounded(labels)).mark_text(fontSize=12)
    text = text.encode(x, y="w:Q", text="name:N", color=_without_legend(names))
    head = title("At the foot of a wall", "one touch throws the weight far back")
    return alt.layer(wall, lines, text).properties(width=250, height=215, title=head)


def _without_legend(names: list[str]) -> alt.Color:
    scale = alt.Scale(domain=[*names, "a wall: the slope is 40"], range=[ORANGE, BLUE, INK])
    return alt.Color("name:N", scale=scale, legend=None)


def _walk(name: str, clip: ClipByNorm | None) -> Rows:
    """Descent of −w/2, and beyond w = 1 of the wall."""
    w = torch.nn.Parameter(torch.tensor(-0.5))
    optimizer, rows = SGD([w], lr=0.1, clip=clip), []
    for step in range(61):
        rows.append({"name": name, "step": step, "w": w.item()})
        optimizer.zero_grad()
        loss = -w / 2 + (WALL + 0.5) * torch.relu(w - 1)
        loss.backward()
        optimizer.step()
    return rows
