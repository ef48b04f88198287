"""What the pictures have in common: colours that the colour-blind tell apart, on white, in one type size."""

from __future__ import annotations

from typing import Any

import altair as alt

INK = "#222222"
GREY = "#9a9a9a"
PALE = "#d9d9d9"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#b0468e"

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
Rows = list[dict[str, Any]]


def named(names: list[str], colours: tuple[str, ...] = COLOURS, **legend: Any) -> alt.Color:
    """The column `name` as colour, with its legend above the panel."""
    scale = alt.Scale(domain=names, range=list(colours[: len(names)]))
    return alt.Color("name:N", scale=scale, legend=alt.Legend(orient="top", **legend))


def title(line: str, subline: str) -> alt.Title:
    """What a panel shows, and what is drawn."""
    return alt.Title(line, subtitle=subline)


def rounded(rows: Rows, digits: int = 4) -> alt.InlineData:
    """Rows as data, numbers to so many significant digits: the picture shows no more."""
    return alt.InlineData(values=[{name: _rounded(value, digits) for name, value in row.items()} for row in rows])


def _rounded(value: Any, digits: int) -> Any:
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def dots(rows: Rows, size: int = 16, digits: int = 3) -> alt.Chart:
    """What was observed: small and grey."""
    return alt.Chart(rounded(rows, digits)).mark_circle(color=GREY, size=size, opacity=0.6)


def mark(place: tuple[float, float], shape: str, size: int, **options: Any) -> alt.Chart:
    """A place in black, with the columns x and y."""
    rows = [{"x": place[0], "y": place[1]}]
    return alt.Chart(rounded(rows)).mark_point(shape=shape, color=INK, filled=True, size=size, opacity=1, **options)


Picture = alt.LayerChart | alt.HConcatChart | alt.VConcatChart


def styled(chart: Picture) -> Picture:
    """The chart on white, with quiet axes: readable on a light page and on a dark one."""
    return (
        chart.configure(background="white", padding=14, font="sans-serif")
        .configure_axis(
            grid=False,
            domainColor=GREY,
            tickColor=GREY,
            labelColor=INK,
            titleColor=INK,
            titleFontWeight="normal",
            labelFontSize=11,
            titleFontSize=12,
        )
        .configure_title(anchor="start", fontSize=14, color=INK, subtitleColor="#555555", subtitleFontSize=12, offset=8)
        .configure_legend(labelFontSize=12, labelColor=INK, title=None, symbolStrokeWidth=3, symbolSize=150)
        .configure_view(strokeWidth=0)
    )
