"""Momentum: the to and fro of a ravine averages away, and so does the noise of minibatches."""

from __future__ import annotations

import altair as alt
import torch

from docs.pictures.adam import path, paths_on, ravine
from docs.pictures.style import BLUE, INK, ORANGE, Rows, dots, named, rounded, title
from trimtab.optim import SGD

SETTINGS = {
    "SGD": {"lr": 0.0193},
    "momentum, β = 0.8": {"lr": 0.1, "momentum": 0.8, "momentum_form": "ema"},
}
BETAS = {"β = 0.7": 0.7, "β = 0.95": 0.95}


def chart() -> alt.HConcatChart:
    """The ravine, and the noise."""
    rows = [row for name, options in SETTINGS.items() for row in path(name, SGD, options, ravine())]
    return alt.hconcat(paths_on(ravine(), rows, list(SETTINGS)), _noise(), spacing=36).resolve_scale(
        color="independent"
    )


def _noise() -> alt.LayerChart:
    """A slope of −1 that turns to 1, seen through noise: how the optimizer's velocity follows it."""
    torch.manual_seed(0)
    truth = [-1.0] * 60 + [1.0] * 60
    seen = [slope + 1.0 * torch.randn(()).item() for slope in truth]
    rows: Rows = [row for name, beta in BETAS.items() for row in _velocity(name, beta, seen)]
    x, scale = alt.X("step:Q", title="step"), alt.Scale(domain=[-4, 4], nice=False)
    observed: Rows = [{"step": i, "g": g, "f": f} for i, (g, f) in enumerate(zip(seen, truth, strict=True))]
    gradients = dots(observed).encode(x, alt.Y("g:Q", title="gradient", scale=scale))
    slope = alt.Chart(rounded(observed)).mark_line(color=INK, strokeDash=[4, 3], strokeWidth=1.2).encode(x, y="f:Q")
    lines = (
        alt.Chart(rounded(rows)).mark_line(strokeWidth=2).encode(x, y="v:Q", color=named(list(BETAS), (ORANGE, BLUE)))
    )
    head = title("A noisy slope that turns", "dots: single gradients, dashed: the slope, lines: the velocity")
    return alt.layer(gradients, slope, lines).properties(width=270, height=230, title=head)


def _velocity(name: str, beta: float, gradients: list[float]) -> Rows:
    """What one step of the optimizer moves, over its learning rate."""
    w = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer, rows = SGD([w], lr=1.0, momentum=beta, momentum_form="ema"), []
    for step, g in enumerate(gradients):
        before, w.grad = w.item(), torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        rows.append({"name": name, "step": step, "v": before - w.item()})
    return rows
