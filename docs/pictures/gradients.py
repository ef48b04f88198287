"""The gradient on its way down through depth and through time, measured, beside the power of the measured gain."""

from __future__ import annotations

import altair as alt
import torch
from torch import nn

from docs.pictures.style import BLUE, GREEN, INK, ORANGE, Rows, named, rounded, title
from trimtab.init import check, orthogonal_

DEPTH, WIDTH, LENGTH = 30, 128, 60
SCALES = {"weights × 0.7": 0.7, "weights × 1": 1.0, "weights × 1.4": 1.4}


def chart() -> alt.HConcatChart:
    """Layers on the left, time on the right."""
    depth = _panel(_depth(), "layer", "Through 30 layers of ReLU", "line: measured; dashes: M^ℓ, M the median gain")
    time = _panel(
        _time(), "step of the sequence", "Through 60 steps of a recurrence", "a linear one, orthogonal × 0.7, 1, 1.4"
    )
    return alt.hconcat(depth, time, spacing=40)


def _depth() -> Rows:
    """What `check` measures in networks whose weights are He's, or smaller or larger."""
    rows: Rows = []
    for name, scale in SCALES.items():
        torch.manual_seed(0)
        model = nn.Sequential(*[part for _ in range(DEPTH) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())])
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                layer.weight.data *= scale
                nn.init.zeros_(layer.bias)
        layers = check(model, torch.randn(256, WIDTH)).layers
        median = float(torch.tensor([row.gain for row in layers[1:] if row.gain is not None]).median())
        last = layers[-1].gradient
        for i, row in enumerate(layers, 1):
            rows.append({"at": i, "gradient": row.gradient / last, "power": median ** (DEPTH - i), "name": name})
    return rows


def _time() -> Rows:
    """‖dL/dh_t‖ in `h_t = W h_{t−1} + x_t`, the loss at the end."""
    rows: Rows = []
    for name, scale in SCALES.items():
        torch.manual_seed(0)
        w = scale * orthogonal_(torch.empty(WIDTH, WIDTH, dtype=torch.float64))
        states = [torch.randn(WIDTH, dtype=torch.float64, requires_grad=True)]
        for _ in range(LENGTH - 1):
            states.append(w @ states[-1] + torch.randn(WIDTH, dtype=torch.float64))
        gradients = torch.autograd.grad(states[-1].sum(), states)
        for t, g in enumerate(gradients, 1):
            length = float(g.norm() / gradients[-1].norm())
            rows.append({"at": t, "gradient": length, "power": scale ** (LENGTH - t), "name": name})
    return rows


def _panel(rows: Rows, words: str, head: str, subline: str) -> alt.LayerChart:
    axis = alt.Axis(values=[1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9], format=".0e")
    scale = alt.Scale(type="log", domain=[1e-10, 1e10], clamp=True, nice=False)
    x = alt.X("at:Q", title=words, scale=alt.Scale(domain=[1, max(row["at"] for row in rows)], nice=False))
    base = alt.Chart(rounded(rows))
    y = alt.Y("gradient:Q", title="norm of the gradient, last = 1", scale=scale, axis=axis)
    lines = base.mark_line(strokeWidth=2.6).encode(x, y, color=named(list(SCALES), (ORANGE, GREEN, BLUE)))
    powers = base.mark_line(color=INK, strokeDash=[3, 3], strokeWidth=1).encode(x, y="power:Q", detail="name:N")
    return alt.layer(lines, powers).properties(width=310, height=230, title=title(head, subline))
