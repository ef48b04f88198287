"""Batch normalisation: the running estimates on their way to the statistics of the data."""

from __future__ import annotations

import altair as alt
import torch

from docs.pictures.style import BLUE, GREEN, INK, ORANGE, Rows, dots, named, rounded, title
from trimtab.nn import BatchNorm1d, exact_statistics

STEPS, BATCH, MEAN, VARIANCE = 80, 16, 3.0, 4.0
LAYERS = {
    "β = 0.9, torch's momentum 0.1": {"beta": 0.9},
    "β = 0.99": {"beta": 0.99},
    "mean over all batches, momentum=None": {"momentum": None},
}


def chart() -> alt.HConcatChart:
    """The estimate of the mean, and that of the variance."""
    rows, exact = _run()
    return alt.hconcat(
        _panel(rows, exact[0], "mean", "The running mean", "from 0"),
        _panel(rows, exact[1], "var", "The running variance", "from 1"),
        spacing=36,
    )


def _run() -> tuple[Rows, tuple[float, float]]:
    """What each layer estimates after each batch; and the statistics of all the batches together."""
    torch.manual_seed(0)
    batches = [MEAN + VARIANCE**0.5 * torch.randn(BATCH, 1) for _ in range(STEPS)]
    rows: Rows = []
    for name, options in LAYERS.items():
        layer = BatchNorm1d(1, **options)
        for step, x in enumerate(batches, 1):
            layer(x)
            estimates = {"mean": _number(layer.running_mean), "var": _number(layer.running_var)}
            rows.append({"name": name, "step": step, **estimates})
    for step, x in enumerate(batches, 1):
        rows.append({"name": "batch", "step": step, "mean": x.mean().item(), "var": x.var().item()})
    layer = BatchNorm1d(1)
    exact_statistics(layer, batches)
    return rows, (_number(layer.running_mean), _number(layer.running_var))


def _number(estimate: torch.Tensor | None) -> float:
    assert estimate is not None
    return estimate.item()


def _panel(rows: Rows, exact: float, of: str, head: str, start: str) -> alt.LayerChart:
    x, y = alt.X("step:Q", title="batches"), alt.Y(f"{of}:Q", title="mean" if of == "mean" else "variance")
    estimates = alt.Chart(rounded([row for row in rows if row["name"] != "batch"]))
    single = dots([row for row in rows if row["name"] == "batch"])
    rule = alt.Chart(rounded([{of: exact}])).mark_rule(color=INK, strokeDash=[4, 3]).encode(y=y)
    colour = named(list(LAYERS), (BLUE, ORANGE, GREEN), labelLimit=300)
    lines = estimates.mark_line(strokeWidth=2).encode(x, y, color=colour)
    subline = f"{start}; dots: single batches of {BATCH}; dashed: exact_statistics"
    return alt.layer(single.encode(x, y), rule, lines).properties(width=330, height=230, title=title(head, subline))
