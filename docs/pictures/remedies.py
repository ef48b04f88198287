"""The loss of a sick program, as it is and under the remedy that heals it."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import vl_convert

from docs.pictures.slim import slim
from docs.pictures.style import BLUE, ORANGE, Rows, named, rounded, styled, title
from trimtab.core.recipe import Recipe
from trimtab.trial.judge import REDEFINING

WHICH = ("without", "with")


def svg(run: dict[str, Any]) -> str:
    """The two curves of a run that `docs.remedy_runs` has stored."""
    names = ["as it is", f"with {run['recipe']}"]
    rows: Rows = [
        {"name": name, "step": step, "value": value}
        for name, which in zip(names, WHICH, strict=True)
        for step, value in zip(run[which]["loss"]["step"], run[which]["loss"]["value"], strict=True)
    ]
    values = [row["value"] for row in rows]
    wide = min(values) > 0 and max(values) > 30 * min(values)
    head = title(run["program"].replace("_", " "), "training loss")
    lines = alt.Chart(rounded(rows), width=460, height=220, title=head).mark_line(strokeWidth=2)
    chart = lines.encode(
        x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("value:Q", scale=alt.Scale(type="log" if wide else "linear", zero=False), title="loss"),
        color=named(names, (ORANGE, BLUE), labelLimit=320),
    )
    return slim(vl_convert.vegalite_to_svg(styled(alt.hconcat(chart)).to_json()))


def caution(run: dict[str, Any]) -> str:
    """How the two curves must not be read."""
    before, after = (_end(run[which]["loss"]["value"]) for which in WHICH)
    if before is None:
        return " As it is, its loss is NaN throughout, and has no line."
    if any(change.name in REDEFINING for change in Recipe.parse(run["recipe"]).changes):
        return " The remedy changes what the loss measures: the curves have different units, the metric has not."
    if after is not None and after > 0.9 * before:
        return " The fault shows in evaluation alone: the training loss is no lower, the metric is better."
    return ""


def _end(values: list[float]) -> float | None:
    """The median of the last quarter."""
    return float(np.median(values[-max(len(values) // 4, 1) :])) if values else None
