"""Inputs before and after standardisation, and where fresh ReLU units have their kinks."""

from __future__ import annotations

import altair as alt
import torch
from torch import Tensor

from docs.pictures.style import BLUE, ORANGE, Rows, dots, mark, named, rounded, title
from trimtab.data import Standardizer

Span = tuple[float, float]
UNITS = 16
NAMES = [
    "boundary through the data: the unit can tell inputs apart",
    "boundary beside the data: the unit is linear or dead on all of it",
]


def chart() -> alt.HConcatChart:
    """The same inputs and the same fresh units, twice."""
    generator = torch.Generator().manual_seed(3)
    height = 172 + 9 * torch.randn(150, generator=generator)  # cm
    weight = 74 + 0.8 * (height - 172) + 8 * torch.randn(150, generator=generator)  # kg
    raw = torch.stack([height, weight], 1)
    torch.manual_seed(4)
    units = torch.nn.Linear(2, UNITS)
    standardized = Standardizer().fit(raw)(raw)
    before = _panel("Raw", raw, units, (-30, 220), (-30, 140), ("height, cm", "weight, kg"))
    after = _panel("Standardised", standardized, units, (-4, 4), (-4, 4), ("(height − μ) / σ", "(weight − μ) / σ"))
    return alt.hconcat(before, after, spacing=36)


def _panel(name: str, x: Tensor, units: torch.nn.Linear, xs: Span, ys: Span, axes: tuple[str, str]) -> alt.LayerChart:
    on = (units(x) > 0).double().mean(0)
    cuts = [0.02 < float(share) < 0.98 for share in on]
    head = title(name, f"the boundaries of {sum(cuts)} of {UNITS} fresh units go through the data")
    horizontal = alt.X("x:Q", title=axes[0], scale=alt.Scale(domain=xs, nice=False))
    vertical = alt.Y("y:Q", title=axes[1], scale=alt.Scale(domain=ys, nice=False))
    lines = alt.Chart(rounded(_boundaries(units, xs, ys, cuts))).mark_line(strokeWidth=1.6, clip=True)
    legend = named(NAMES, (BLUE, ORANGE), columns=1, labelLimit=400)
    inputs = dots([{"x": float(a), "y": float(b)} for a, b in x], 18)
    origin = mark((0, 0), "cross", 80)
    return alt.layer(
        inputs.encode(horizontal, vertical),
        lines.encode(horizontal, vertical, detail="unit:N", color=legend),
        origin.encode(horizontal, vertical),
    ).properties(width=330, height=260, title=head)


def _boundaries(units: torch.nn.Linear, xs: Span, ys: Span, cuts: list[bool]) -> Rows:
    """The two ends of each line w₁x + w₂y + b = 0, on the sides of the picture that it is not parallel to."""
    rows: Rows = []
    for i, ((w1, w2), b) in enumerate(zip(units.weight.tolist(), units.bias.tolist(), strict=True)):
        name = NAMES[0 if cuts[i] else 1]
        if abs(w2) * (ys[1] - ys[0]) > abs(w1) * (xs[1] - xs[0]):
            ends = [(x, -(b + w1 * x) / w2) for x in xs]
        else:
            ends = [(-(b + w2 * y) / w1, y) for y in ys]
        rows += [{"x": x, "y": y, "unit": i, "name": name} for x, y in ends]
    return rows
