"""Units that no longer learn: dead (zero on every example) or saturated (on the flat part of their curve)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import DEAD, SATURATED
from trimtab.core.trace import Floats, Ints, Site, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import height, in_order, row_axis, short, specification, step_axis
from trimtab.report.figures.thin import LAYERS, STEPS, striking_rows
from trimtab.report.names import shorten, unique_labels
from trimtab.report.quantity import percent

_KINDS = {"dead": DEAD, "saturated": SATURATED}


@dataclass(frozen=True, slots=True)
class LostUnits:
    """Rows {label, name, kind, step: [...], share: [...]} from the first activation to the last."""

    rows: list[dict[str, Any]]
    steps: list[int]

    def spec(self) -> dict[str, Any]:
        """A cell for each activation and sampled step, coloured by the share of its units that is lost."""
        import altair as alt

        labels = [row["label"] for row in self.rows]
        legend = alt.Legend(title="share of units", orient="top", gradientLength=160, format="%", tickCount=3)
        cells = (
            alt.Chart(alt.InlineData(values=self.rows))
            .transform_flatten(["step", "share"])
            .transform_filter("isNumber(datum.share)")
            .mark_rect()
            .encode(
                x=alt.X("step:O", scale=alt.Scale(domain=self.steps), axis=alt.Axis(**step_axis(self.steps))),
                y=alt.Y("label:N", scale=alt.Scale(domain=labels), axis=alt.Axis(**row_axis(labels))),
                color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1]), legend=legend),
                tooltip=["name:N", "kind:N", "step:O", alt.Tooltip("share:Q", format=".1%")],
            )
        )
        return specification(cells, height=height(len(labels)), renderer="canvas")


def chart(trace: Trace) -> Chart | None:
    """DEAD and SATURATED of every activation that has them, at the steps at which either was measured."""
    steps = np.union1d(*(trace.at(signal) for signal in _KINDS.values()))
    found = [
        (site, kind, values)
        for column in in_order(trace, "activation")
        for site in [trace.of("activation")[column]]
        for kind in _KINDS
        if np.isfinite(values := _placed(trace, kind, column, steps)).any()
    ]
    if not found:
        return None
    table = np.stack([values for _, _, values in found])
    chosen = striking_rows(table, LAYERS)
    kept = striking_rows(table[chosen].T, STEPS)
    labels = unique_labels([_label(*found[place][:2]) for place in chosen])
    rows = [_row(label, *found[place], kept, steps) for label, place in zip(labels, chosen, strict=True)]
    return Chart(
        title="Dead and saturated units",
        caption="Dead: zero on every recent example. Saturated: outputs where the slope is below 5 % of its maximum.",
        alt=_told(found),
        figure=LostUnits(rows, [int(step) for step in steps[kept]]),
    )


def _placed(trace: Trace, kind: str, column: int, steps: Ints) -> Floats:
    """The signal of one activation on the common steps, NaN where it was not measured."""
    signal = _KINDS[kind]
    values = np.full(len(steps), np.nan)
    values[np.searchsorted(steps, trace.at(signal))] = trace[signal][:, column]
    return values


def _label(site: Site, kind: str) -> str:
    return f"{shorten(site.name, 24 - len(kind) - 2)}, {kind}"


def _row(label: str, site: Site, kind: str, values: Floats, kept: Ints, steps: Ints) -> dict[str, Any]:
    return {
        "label": label,
        "name": shorten(site.name, 60),
        "kind": kind,
        "step": [int(step) for step in steps[kept]],
        "share": short(values[kept]),
    }


def _told(found: list[tuple[Site, str, Floats]]) -> str:
    site, kind, values = max(found, key=lambda row: float(np.nanmax(row[2])))
    worst = f"at most {percent(float(np.nanmax(values)))} {kind} at {shorten(site.name)}"
    return f"Heat map of the dead and saturated shares of {len({s.name for s, _, _ in found})} activations: {worst}."
