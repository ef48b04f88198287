"""SGD, momentum, RMSProp and Adam, each with one setting, in a ravine and at a saddle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import torch
from torch import Tensor

from docs.pictures.style import PALE, Rows, mark, named, rounded, title
from trimtab.optim import SGD, Adam, RMSprop

OPTIMIZERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SGD": (SGD, {"lr": 0.0193}),
    "momentum": (SGD, {"lr": 0.1, "momentum": 0.8, "momentum_form": "ema"}),
    "RMSProp": (RMSprop, {"lr": 0.2, "alpha": 0.99, "bias_correction": True}),
    "Adam": (Adam, {"lr": 0.2, "betas": (0.8, 0.99)}),
}
Loss = Callable[[Tensor, Tensor], Tensor]
Span = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    """A loss of two weights, the part of it that is shown, and where the descent begins and should end."""

    head: alt.Title
    loss: Loss
    contours: list[tuple[np.ndarray, np.ndarray]]
    xs: Span
    ys: Span
    start: Span
    goal: Span
    steps: int
    loss_scale: alt.Scale
    loss_format: str
    every: int  # steps from one point of the loss to the next


def chart() -> alt.VConcatChart:
    """A row for each landscape: the paths on its contours, the loss by step."""
    return alt.vconcat(_row(ravine()), _row(_saddle()), spacing=24)


def ravine() -> Landscape:
    """A hundred times as curved across as along."""
    turn = np.linspace(0, 2 * np.pi, 41)
    radii = (0.5, 1.5, 2.7, 4.1, 5.6, 7.2, 9, 11)
    return Landscape(
        title("A ravine", "100 times as curved across as along; a dot a step"),
        loss=lambda x, y: (x**2 + 100 * y**2) / 2,
        contours=[(r * np.cos(turn), r / 10 * np.sin(turn)) for r in radii],
        xs=(-7.6, 2),
        ys=(-0.75, 0.75),
        start=(-7, 0.6),
        goal=(0, 0),
        steps=70,
        loss_scale=alt.Scale(type="log", domain=[1e-4, 100], clamp=True),
        loss_format="~g",
        every=1,
    )


def _saddle() -> Landscape:
    return Landscape(
        title("A saddle", "from 0.001 beside the line that leads straight to it"),
        loss=lambda x, y: 5 * ((y**2 - x**2) / 2 + x**4 / 16),
        contours=list(_saddle_contours()),
        xs=(-2.7, 0.7),
        ys=(-1.5, 1.5),
        start=(-0.001, 1.3),
        goal=(-2, 0),
        steps=120,
        loss_scale=alt.Scale(domain=[-6, 5]),
        loss_format=".0f",
        every=2,
    )


def _saddle_contours() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Level lines, solved for y: the two halves of each, from where y = 0 to where y = 0 or the picture ends."""
    for level in (-0.9, -0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6, 0.9):
        square = np.polynomial.Polynomial([2 * level, 0, 1, 0, -1 / 8])  # y² as a function of x
        roots = [float(r.real) for r in square.roots() if abs(r.imag) < 1e-9 and -2.7 < r.real < 0.7]
        ends = [-2.7, *sorted(roots), 0.7]
        for left, right in pairwise(ends):
            if right > left and square((left + right) / 2) > 0:
                x = (left + right) / 2 - (right - left) / 2 * np.cos(np.linspace(0, np.pi, 25))  # close at the ends
                y = np.sqrt(np.maximum(square(x), 0))
                yield x, y
                yield x, -y


def _row(landscape: Landscape) -> alt.HConcatChart:
    rows = [row for name in OPTIMIZERS for row in path(name, *OPTIMIZERS[name], landscape)]
    seen = [row for row in rows if row["step"] % landscape.every == 0]
    falling = alt.Chart(rounded(seen, 3)).mark_line(strokeWidth=2, clip=True)
    axis = alt.Axis(tickCount=6, format=landscape.loss_format)
    y = alt.Y("loss:Q", title="loss", scale=landscape.loss_scale, axis=axis)
    losses = falling.encode(x=alt.X("step:Q", title="step"), y=y, color=named(list(OPTIMIZERS)))
    losses = losses.properties(width=230, height=230, title=title("Its loss", "by step"))
    return alt.hconcat(paths_on(landscape, rows, list(OPTIMIZERS)), losses, spacing=30)


def paths_on(landscape: Landscape, rows: Rows, names: list[str]) -> alt.LayerChart:
    """The contours, and on them the paths."""
    x = alt.X("x:Q", title=None, scale=alt.Scale(domain=landscape.xs, nice=False), axis=alt.Axis(tickCount=6))
    y = alt.Y("y:Q", title=None, scale=alt.Scale(domain=landscape.ys, nice=False), axis=alt.Axis(tickCount=5))
    curves: Rows = []
    for i, (u, v) in enumerate(landscape.contours):
        curves += [{"x": float(a), "y": float(b), "i": i, "step": j} for j, (a, b) in enumerate(zip(u, v, strict=True))]
    levels = alt.Chart(rounded(curves, 3)).mark_line(color=PALE, strokeWidth=1, clip=True).encode(x, y, detail="i:N")
    colour = named(names)
    walked = alt.Chart(rounded(_apart(rows, landscape))).encode(x, y, color=colour)
    paths = walked.mark_line(strokeWidth=1.5, clip=True).encode(order="step:Q")
    dots = walked.mark_circle(size=14, opacity=1, clip=True)
    start, goal = mark(landscape.start, "circle", 80), mark(landscape.goal, "cross", 110, angle=45)
    layers = alt.layer(levels.encode(order="step:Q"), paths, dots, start.encode(x, y), goal.encode(x, y))
    return layers.properties(width=390, height=230, title=landscape.head)


def _apart(rows: Rows, landscape: Landscape) -> Rows:
    """Without the dots that would lie on the one before."""
    wide, high = np.ptp(landscape.xs), np.ptp(landscape.ys)
    kept = rows[:1]
    for row in rows:
        distance = np.hypot((row["x"] - kept[-1]["x"]) / wide, (row["y"] - kept[-1]["y"]) / high)
        if row["name"] != kept[-1]["name"] or distance > 0.015:
            kept.append(row)
    return kept


def path(name: str, make: Any, options: dict[str, Any], landscape: Landscape) -> Rows:
    """Where the optimizer has been, and the loss there."""
    w = torch.nn.Parameter(torch.tensor(landscape.start, dtype=torch.float64))
    optimizer, rows = make([w], **options), []
    for step in range(landscape.steps + 1):
        loss = landscape.loss(*w)
        rows.append({"name": name, "step": step, "x": w[0].item(), "y": w[1].item(), "loss": loss.item()})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return rows
