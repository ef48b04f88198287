"""One chart of a report by its name, as an Altair chart: a notebook shows it, `save` writes it without a browser."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.trace import Trace
from trimtab.report.figures import CHARTS
from trimtab.report.figures.canvas import altair

WIDTH = 640
_THEME = {"view": {"stroke": None}, "range": {"heatmap": ["#f3f1ee", "#f0a35c", "#a83c0a"]}}


def plot(trace: Trace, name: str) -> Any:
    """The chart `name` of a trace; raises TrimtabError for a name that no chart has, and where nothing was measured."""
    if name not in CHARTS:
        what = f"there is no chart {name!r}" if name else "plot takes the name of a chart"
        raise TrimtabError(f"{what}; the charts are {', '.join(CHARTS)}")
    made = CHARTS[name].chart(trace)
    if made is None:
        seen = [other for other, module in CHARTS.items() if module.chart(trace) is not None]
        raise TrimtabError(f"this run has no data for {name!r}; it has data for {', '.join(seen) or 'no chart'}")
    titled = {"text": made.title, "subtitle": made.caption, "anchor": "start", "fontSize": 14, "offset": 12}
    around = {"description": made.alt, "title": titled, "width": WIDTH, "background": "white", "config": _THEME}
    chart: object = altair().Chart.from_dict(made.figure.spec() | around)
    object.__setattr__(chart, "__class__", _drawn_here(type(chart)))  # Altair's own would make it a part of the chart
    return chart


@lru_cache
def _drawn_here(kind: type[Any]) -> type[Any]:
    """An Altair class whose charts a notebook shows as a picture: Altair's HTML loads scripts from a network."""

    def bundle(self: Any, *_: object, **__: object) -> dict[str, str]:
        import vl_convert

        return {"image/svg+xml": vl_convert.vegalite_to_svg(self.to_dict()), "text/plain": f"{kind.__name__}(...)"}

    return type(kind.__name__, (kind,), {"_repr_mimebundle_": bundle})
