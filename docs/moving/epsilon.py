"""How long Adam's step is when ε is not small beside the gradient: ε outside the root and inside."""

from __future__ import annotations

import altair as alt
import torch
from torch import nn

from docs.pictures.style import BLUE, GREY, ORANGE

NAMES = ["g / (√g² + ε), outside: torch", "g / √(g² + ε), inside"]
LAYERS = 10
_HALVED = "'ε = ' + format(pow(10, log_eps), '.1e') + ': the step is halved at |g| = ε outside, 0.58 √ε inside'"
_TICKS = f"'ticks: gradients (RMS) of the {LAYERS} layers of a fresh sigmoid network'"


def chart() -> alt.LayerChart:
    """Step over α against the size of a steady gradient, and where the layers of a deep network stand."""
    bind = alt.binding_range(min=-16, max=0, step=0.25, name="log₁₀ ε ")
    return (
        alt.layer(*_curves(), *_network())
        .add_params(alt.param("log_eps", value=-8, bind=bind))
        .properties(
            width=640,
            height=250,
            title=alt.Title(alt.ExprRef(f"[{_HALVED}, {_TICKS}]")),
        )
    )


def _x() -> alt.X:
    axis = alt.Axis(values=[10.0**p for p in range(-12, 1, 2)], format=".0e")
    return alt.X(
        "g:Q", title="size of the gradient |g|", scale=alt.Scale(type="log", domain=[1e-12, 1], nice=False), axis=axis
    )


def _curves() -> list[alt.Chart]:
    sizes = alt.Chart(alt.sequence(-12, 0.01, 0.1, as_="p")).transform_calculate(
        g="pow(10, datum.p)", eps="pow(10, log_eps)"
    )
    steps = sizes.transform_calculate(
        outside="datum.g / (datum.g + datum.eps)", inside="datum.g / sqrt(datum.g * datum.g + datum.eps)"
    )
    folded = steps.transform_fold(["outside", "inside"], as_=["which", "step"])
    named = folded.transform_calculate(name=f"datum.which == 'outside' ? '{NAMES[0]}' : '{NAMES[1]}'")
    colour = alt.Color(
        "name:N", scale=alt.Scale(domain=NAMES, range=[BLUE, ORANGE]), legend=alt.Legend(orient="top", labelLimit=300)
    )
    return [
        named.mark_line(strokeWidth=2.2).encode(
            _x(), alt.Y("step:Q", title="step / α", scale=alt.Scale(domain=[0, 1.08])), colour
        )
    ]


def _network() -> list[alt.Chart]:
    torch.manual_seed(0)
    parts = [part for _ in range(LAYERS) for part in (nn.Linear(64, 64), nn.Sigmoid())]
    model = nn.Sequential(*parts)
    loss = nn.functional.cross_entropy(model(torch.randn(128, 64)), torch.randint(0, 64, (128,)))
    weights = [layer.weight for layer in model if isinstance(layer, nn.Linear)]
    gradients = [g.square().mean().sqrt().item() for g in torch.autograd.grad(loss, weights)]
    rows = [{"g": float(f"{g:.3g}"), "layer": i} for i, g in enumerate(gradients, 1)]
    base = alt.Chart(alt.InlineData(values=rows))
    ticks = base.mark_tick(color=GREY, thickness=2, size=14, yOffset=-7).encode(_x(), y=alt.datum(0))
    return [ticks, base.mark_text(dy=-20, fontSize=10).encode(_x(), y=alt.datum(0), text="layer:N")]
