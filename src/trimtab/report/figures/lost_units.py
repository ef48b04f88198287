"""Units that no longer learn: dead (zero on every example) or saturated (on the flat part of their curve)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.core.signal import DEAD, SATURATED
from trimtab.core.trace import Floats, Ints, Site, Trace
from trimtab.report.blocks import Chart
from trimtab.report.figures.canvas import altair, in_order, short, specification
from trimtab.report.figures.heat_map import frame, heat_map
from trimtab.report.figures.placing import place_of, places
from trimtab.report.figures.thin import LAYERS, STEPS, striking_rows
from trimtab.report.names import shorten, unique_labels
from trimtab.report.quantity import percent

_KINDS = {"dead": DEAD, "saturated": SATURATED}
_SHORT = {"dead": "dead", "saturated": "sat."}


@dataclass(frozen=True, slots=True)
class LostUnits:
    """Rows {label, name, kind, place, step: [...], share: [...]} from the first activation to the last."""

    rows: list[dict[str, Any]]
    steps: list[int]

    def spec(self) -> dict[str, Any]:
        """A cell for each activation and sampled step, coloured by the share of its units that is lost."""
        alt = altair()
        legend = alt.Legend(
            title="share dead or saturated", orient="bottom", gradientLength=160, format="%", tickCount=3
        )
        cells = (
            heat_map(self.rows, self.steps, "share")
            .transform_filter("isNumber(datum.share)")
            .encode(
                color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], interpolate="rgb"), legend=legend),
                tooltip=["name:N", "kind:N", "step:O", alt.Tooltip("share:Q", format=".1%")],
            )
        )
        return specification(alt.layer(cells, frame(self.rows)), renderer="canvas")


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
    chosen = [found[place] for place in striking_rows(np.stack([values for _, _, values in found]), LAYERS)]
    kept = striking_rows(np.stack([values for _, _, values in chosen], axis=1), STEPS)
    names = unique_labels([str(site.attrs.get("after") or site.name) for site, _, _ in chosen], 15)
    known = places(trace)
    shown = [int(step) for step in steps[kept]]
    rows = [
        {
            "label": f"{name} {_SHORT[kind]}",
            "name": shorten(site.name, 60),
            "kind": kind,
            "place": place_of(site, known),
            "step": shown,
            "share": short(values[kept]),
        }
        for name, (site, kind, values) in zip(names, chosen, strict=True)
    ]
    return Chart(
        width="half",
        title="Dead and saturated units",
        caption="Dead: zero on every recent example. Saturated: outputs where the slope is below 5 % of its maximum.",
        alt=_told(found),
        figure=LostUnits(rows, shown),
    )


def _placed(trace: Trace, kind: str, column: int, steps: Ints) -> Floats:
    """The signal of one activation on the common steps, NaN where it was not measured."""
    signal = _KINDS[kind]
    values = np.full(len(steps), np.nan)
    values[np.searchsorted(steps, trace.at(signal))] = trace[signal][:, column]
    return values


def _told(found: list[tuple[Site, str, Floats]]) -> str:
    site, kind, values = max(found, key=lambda row: float(np.nanmax(row[2])))
    worst = f"at most {percent(float(np.nanmax(values)))} {kind} at {shorten(site.name)}"
    return f"Heat map of the dead and saturated shares of {len({s.name for s, _, _ in found})} activations: {worst}."
