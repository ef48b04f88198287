"""The gradient by depth: three activations, three ways to start the weights."""

from __future__ import annotations

import altair as alt
import torch
from torch import nn

from docs.pictures.style import BLUE, GREEN, GREY, ORANGE, Rows, named, rounded, title
from trimtab.init import check, initialize, xavier_normal_

DEPTH, WIDTH = 20, 128
ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU}
STARTS = ["as torch's layers start", "Xavier, gain 1", "by the activation: initialize(model, x)"]


def chart() -> alt.HConcatChart:
    """A panel for each activation."""
    return alt.hconcat(*[_panel(name, i == 0) for i, name in enumerate(ACTIVATIONS)], spacing=24)


def _panel(activation: str, first: bool) -> alt.LayerChart:
    rows = [row for start in STARTS for row in _gradients(activation, start)]
    scale = alt.Scale(type="log", domain=[1e-18, 100], nice=False)
    axis = alt.Axis(values=[1e-18, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1], format=".0e", labels=first)
    y = alt.Y("gradient:Q", title="norm of the gradient, last layer = 1" if first else None, scale=scale, axis=axis)
    depths = alt.Axis(values=[1, 5, 10, 15, 20])
    x = alt.X("layer:Q", title="layer", scale=alt.Scale(domain=[1, DEPTH], nice=False), axis=depths)
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2.2)
    level = alt.Chart(rounded([{"gradient": 1.0}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    colour = named(STARTS, (ORANGE, BLUE, GREEN), labelLimit=400)
    head = title(activation, f"green: × {_arrives(rows)} from the last layer to the first")
    return alt.layer(level, lines.encode(x, y, color=colour)).properties(width=215, height=230, title=head)


def _arrives(rows: Rows) -> str:
    """What the first layer gets of the last one's gradient with the third start."""
    (share,) = (row["gradient"] for row in rows if row["layer"] == 1 and row["name"] == STARTS[2])
    return f"{share:.1g}".replace("e-0", "e-")


def _gradients(activation: str, start: str) -> Rows:
    """‖dL/dφ‖ at each layer of a fresh network, over that at the last."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        layers += [nn.Linear(WIDTH, WIDTH), ACTIVATIONS[activation]()]
    model, x = nn.Sequential(*layers), torch.randn(256, WIDTH)
    _begin(model, x, start)
    found = [row.gradient for row in check(model, x).layers]
    return [{"layer": i, "gradient": g / found[-1], "name": start} for i, g in enumerate(found, 1)]


def _begin(model: nn.Sequential, x: torch.Tensor, start: str) -> None:
    if start == STARTS[1]:
        for layer in model:
            if isinstance(layer, nn.Linear):
                xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
    elif start == STARTS[2]:
        initialize(model, x)
