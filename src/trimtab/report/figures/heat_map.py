"""A cell for each row and sampled step: what the charts by depth and step have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from trimtab.report.figures.canvas import MARKED, altair, down, height


def heat_map(rows: Sequence[dict[str, Any]], steps: Sequence[int], field: str, **mark: Any) -> Any:
    """Cells of rows {label, step: [...], <field>: [...]}, still without a colour.

    A cell is a hair larger than its place: else the paper shines through between them.
    """
    alt = altair()
    labels = [str(row["label"]) for row in rows]
    wide, high = {"band": 1 + len(steps) / 300}, {"band": 1 + len(rows) / 400}
    return (
        alt.Chart(alt.InlineData(values=list(rows)), height=height(len(rows)))
        .transform_flatten(["step", field])
        .mark_rect(width=wide, height=high, **mark)
        .encode(x=_across(steps), y=down("label", labels))
    )


def frame(rows: Sequence[dict[str, Any]]) -> Any:
    """A frame around the rows {label, place} of the layer that is marked; faint cells would show where they overlap."""
    alt = altair()
    labels = [str(row["label"]) for row in rows]
    places = [{"label": row["label"], "place": row["place"]} for row in rows]
    return (
        alt.Chart(alt.InlineData(values=places))
        .transform_filter(f"datum.place === {MARKED}")
        .mark_rect(fill=None, style="marked", strokeWidth=2)
        .encode(x=alt.value(0), x2=alt.value("width"), y=down("label", labels))
    )


def _across(steps: Sequence[int]) -> Any:
    """A horizontal axis with a place for each sampled step; no more of them are named than a phone has room for."""
    alt = altair()
    named = list(steps[:: math.ceil(len(steps) / 5)])
    figures = {"format": ",d" if steps[-1] < 100_000 else "~s", "formatType": "number"}
    axis = alt.Axis(values=named, labelAngle=0, labelOverlap=False, ticks=False, **figures)
    inside = 0.01  # without it rounding puts the first place at −1e-13, outside, and its label is left out
    return alt.X("step:O", title="step", scale=alt.Scale(domain=list(steps), paddingOuter=inside), axis=axis)
