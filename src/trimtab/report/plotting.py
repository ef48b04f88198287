"""One chart of a report by its name, as an Altair chart: a notebook shows it, `save` writes it without a browser."""

from __future__ import annotations

from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.trace import Trace
from trimtab.report.figures import CHARTS
from trimtab.report.figures.canvas import altair

WIDTH = 640


def plot(trace: Trace, name: str) -> Any:
    """The chart `name` of a trace; raises TrimtabError for a name that no chart has, and where nothing was measured."""
    if name not in CHARTS:
        raise TrimtabError(f"there is no chart {name!r}; the charts are {', '.join(CHARTS)}")
    made = CHARTS[name].chart(trace)
    if made is None:
        seen = [other for other, module in CHARTS.items() if module.chart(trace) is not None]
        raise TrimtabError(f"this run has no data for {name!r}; it has data for {', '.join(seen) or 'no chart'}")
    titled = {"text": made.title, "subtitle": made.caption, "anchor": "start", "fontSize": 14, "offset": 12}
    description = {"description": made.alt, "title": titled, "width": WIDTH, "background": "white"}
    return altair().Chart.from_dict(made.figure.spec() | description)
