"""Gradient descent in a valley κ times as curved across as along: its path in closed form, for any learning rate."""

from __future__ import annotations

import altair as alt

from docs.pictures.style import BLUE, GREY, ORANGE

STEPS = 60


def chart() -> alt.HConcatChart:
    """The path, and what remains of either coordinate."""
    rate = alt.param(
        "rate", value=0.09, bind=alt.binding_range(min=0.002, max=0.25, step=0.002, name="learning rate α ")
    )
    curvature = alt.param("kappa", value=20, bind=alt.binding_range(min=1, max=100, step=1, name="curvature across κ "))
    both = alt.hconcat(_path(), _coordinates(), spacing=36).resolve_scale(color="independent")
    return both.add_params(rate, curvature)


def _descent() -> alt.Chart:
    """`x_k = (1−α)ᵏ x_0` along and `y_k = (1−ακ)ᵏ y_0` across, from (−8, 2)."""
    steps = alt.Chart(alt.sequence(0, STEPS + 1, as_="k"))
    return steps.transform_calculate(x="-8 * pow(1 - rate, datum.k)", y="2 * pow(1 - rate * kappa, datum.k)")


def _path() -> alt.LayerChart:
    x = alt.X("x:Q", title="along", scale=alt.Scale(domain=[-9, 3], nice=False))
    y = alt.Y("y:Q", title="across", scale=alt.Scale(domain=[-4, 4], nice=False))
    path = _descent().encode(x, y, order="k:Q")
    layers = path.mark_line(color=BLUE, strokeWidth=1.5, clip=True), path.mark_circle(color=BLUE, opacity=1, clip=True)
    limit = alt.Title(alt.ExprRef(f"['Stable below 2/κ = ' + format(2 / kappa, '.3~r'), {_SAYING}]"))
    return alt.layer(*layers).properties(width=330, height=230, title=limit)


_SAYING = (
    "rate * kappa > 2 ? 'each step across is thrown further out' : "
    "rate * kappa > 1 ? 'across it swings from side to side' : 'across it comes down without a swing'"
)


def _coordinates() -> alt.LayerChart:
    sizes = _descent().transform_calculate(along="max(abs(datum.x), 1e-6)", across="max(abs(datum.y), 1e-6)")
    names = alt.Scale(domain=["along", "across"], range=[ORANGE, BLUE])
    lines = sizes.transform_fold(["along", "across"], as_=["name", "size"]).mark_line(strokeWidth=2, clip=True)
    y = alt.Y("size:Q", title="distance from the minimum", scale=alt.Scale(type="log", domain=[1e-4, 100], clamp=True))
    lines = lines.encode(
        alt.X("k:Q", title="step"), y, alt.Color("name:N", scale=names, legend=alt.Legend(orient="top"))
    )
    start = alt.Chart(alt.InlineData(values=[{"size": 1}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    return alt.layer(start, lines).properties(width=260, height=200)
