"""Layer norm asks no neighbour, and holds the signal through depth, one example at a time."""

from __future__ import annotations

import altair as alt
import torch
from torch import nn

from docs.pictures.style import BLUE, GREY, ORANGE, Rows, named, rounded, title
from trimtab.nn import BatchNorm1d, LayerNorm

SIZES = (2, 4, 8, 16, 32, 64, 128)
DEPTH, WIDTH = 20, 64
NAMES = ["batch norm", "layer norm"]
NETS = ["linear and ReLU alone", "with layer norm between them"]


def chart() -> alt.HConcatChart:
    """The same example in many batches; and one example on its way through a deep network."""
    return alt.hconcat(_neighbours(), _depth(), spacing=40).resolve_scale(color="independent")


def _neighbours() -> alt.LayerChart:
    torch.manual_seed(0)
    example, rows = torch.randn(1, WIDTH), []
    for size in SIZES:
        for _ in range(24):
            batch = torch.cat([example, torch.randn(size - 1, WIDTH)])
            for name, layer in zip(NAMES, (BatchNorm1d(WIDTH), LayerNorm(WIDTH)), strict=True):
                rows.append({"size": size, "value": layer(batch)[0, 0].item(), "name": name})
    x = alt.X(
        "size:Q", title="size of the batch", scale=alt.Scale(type="log", base=2), axis=alt.Axis(values=list(SIZES))
    )
    y = alt.Y("value:Q", title="its first feature, normalised")
    level = alt.Chart(rounded([{"value": example[0, 0].item()}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    points = alt.Chart(rounded(rows, 3)).mark_circle(size=22, opacity=0.55)
    head = title("One example among other neighbours", "24 batches of each size; dashed: the value that went in")
    drawn = points.encode(x, y, color=named(NAMES, (ORANGE, BLUE)))
    return alt.layer(level, drawn).properties(width=310, height=230, title=head)


def _depth() -> alt.Chart:
    rows: Rows = []
    for name in NETS:
        torch.manual_seed(0)
        x = torch.randn(1, WIDTH)
        for i in range(1, DEPTH + 1):
            z = nn.Linear(WIDTH, WIDTH)(x)
            x = torch.relu(LayerNorm(WIDTH)(z) if name == NETS[1] else z)
            rows.append({"layer": i, "size": x.detach().std().item(), "name": name})
    scale = alt.Scale(type="log", domain=[1e-3, 10], clamp=True)
    y = alt.Y("size:Q", title="deviation over the features", scale=scale, axis=alt.Axis(format="~g"))
    lines = alt.Chart(rounded(rows)).mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=18))
    head = title("A batch of one, through 20 layers", "torch's start; how much the units of a layer differ")
    x = alt.X("layer:Q", title="layer")
    return lines.encode(x, y, color=named(NETS, (ORANGE, BLUE), labelLimit=300)).properties(
        width=310, height=230, title=head
    )
