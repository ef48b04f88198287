"""The four troubles of descent, each with one optimizer and one loss."""

from __future__ import annotations

import altair as alt
import torch
from torch import Tensor

from docs.pictures.style import BLUE, GREEN, ORANGE, Rows, named, rounded, title
from trimtab.optim import SGD

EXAMPLES, FEATURES = 1000, 10


def chart() -> alt.VConcatChart:
    """Two rows of two."""
    above = alt.hconcat(_slow(), _noisy(), spacing=40).resolve_scale(color="independent")
    below = alt.hconcat(_stuck(), _unequal(), spacing=40).resolve_scale(color="independent")
    return alt.vconcat(above, below, spacing=24).resolve_scale(color="independent")


def _data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(EXAMPLES, FEATURES, generator=generator)
    return x, x @ torch.ones(FEATURES) + torch.randn(EXAMPLES, generator=generator)


def _fit(name: str, batch: int, steps: int, lr: float) -> Rows:
    """Loss over all the data by step, and the examples read by then."""
    (x, y), generator = _data(), torch.Generator().manual_seed(1)
    w = torch.nn.Parameter(torch.zeros(FEATURES))
    optimizer, rows = SGD([w], lr=lr), []
    for step in range(steps + 1):
        with torch.no_grad():
            rows.append({"name": name, "step": step, "read": step * batch, "loss": (x @ w - y).square().mean().item()})
        chosen = torch.randperm(EXAMPLES, generator=generator)[:batch]
        optimizer.zero_grad()
        (x[chosen] @ w - y[chosen]).square().mean().backward()
        optimizer.step()
    return rows


def _slow() -> alt.Chart:
    names = ["all 1,000 a step", "10 a step"]
    rows = _fit(names[0], EXAMPLES, 10, 0.05) + _fit(names[1], 10, 1000, 0.05)
    kept = [row for row in rows if row["name"] == names[0] or row["step"] % 10 == 0]
    head = title("1 Slow", "each step has to read all the data")
    return _lines(kept, names, alt.X("read:Q", title="examples read"), "loss:Q", "loss", head)


def _noisy() -> alt.Chart:
    names = ["1 a step", "10 a step", "all a step"]
    rows = [row for name, batch in zip(names, (1, 10, EXAMPLES), strict=True) for row in _fit(name, batch, 150, 0.04)]
    head = title("2 Noisy", "small batches disagree; the same learning rate for all")
    return _lines(rows, names, alt.X("step:Q", title="step"), "loss:Q", "loss", head, log=True)


def _stuck() -> alt.Chart:
    w, rows = torch.nn.Parameter(torch.tensor([1e-4, 1.0], dtype=torch.float64)), []
    optimizer = SGD([w], lr=0.1)
    for step in range(161):
        loss = (w[1] ** 2 - w[0] ** 2) / 2 + w[0] ** 4 / 16
        rows.append({"name": "SGD", "step": step, "loss": loss.item()})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    head = title("3 Stuck", "at a saddle the slope is nearly 0, and so is the step")
    return _lines(rows, ["SGD"], alt.X("step:Q", title="step"), "loss:Q", "loss", head)


def _unequal() -> alt.Chart:
    w, rows = torch.nn.Parameter(torch.ones(2, dtype=torch.float64)), []
    names, curvature = ["steep", "flat, 1/100 of its slope"], torch.tensor([100.0, 1.0], dtype=torch.float64)
    optimizer = SGD([w], lr=0.018)
    for step in range(101):
        rows += [{"name": n, "step": step, "size": v} for n, v in zip(names, w.abs().tolist(), strict=True)]
        optimizer.zero_grad()
        ((curvature * w**2).sum() / 2).backward()
        optimizer.step()
    head = title("4 Unequal", "the steep weight allows no larger step, and the flat one waits")
    x = alt.X("step:Q", title="step")
    return _lines(rows, names, x, "size:Q", "distance from the minimum", head, log=True)


def _lines(rows: Rows, names: list[str], x: alt.X, y: str, words: str, head: alt.Title, log: bool = False) -> alt.Chart:
    scale = alt.Scale(type="log", clamp=True, domainMin=1e-4 if y == "size:Q" else 0.7) if log else alt.Scale()
    axis = alt.Axis(tickCount=5, format="~g")
    colour = named(names, (ORANGE, BLUE, GREEN)) if len(names) > 1 else alt.value(ORANGE)
    drawn = alt.Chart(rounded(rows)).mark_line(strokeWidth=2, clip=True)
    encoded = drawn.encode(x, alt.Y(y, title=words, scale=scale, axis=axis), color=colour)
    return encoded.properties(width=310, height=170, title=head)
