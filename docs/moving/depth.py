"""The gradient on its way down: M to the power of the layers that it has passed."""

from __future__ import annotations

import altair as alt

from docs.pictures.style import BLUE, GREY, ORANGE

DEEPEST = 60


def chart() -> alt.LayerChart:
    """What each layer gets, by depth and gain."""
    gain = alt.param("gain", value=0.6, bind=alt.binding_range(min=0.4, max=1.6, step=0.01, name="gain of a layer M "))
    depth = alt.param("depth", value=30, bind=alt.binding_range(min=2, max=DEEPEST, step=1, name="layers ℓ "))
    axis = alt.Axis(values=[10.0**p for p in range(-20, 21, 5)], format=".0e")
    y = alt.Y(
        "gradient:Q",
        title="gradient, last layer = 1",
        scale=alt.Scale(type="log", domain=[1e-20, 1e20], clamp=True),
        axis=axis,
    )
    x = alt.X("layer:Q", title="layer", scale=alt.Scale(domain=[1, DEEPEST], nice=False))
    layers = alt.Chart(alt.sequence(1, DEEPEST + 1, as_="layer")).transform_filter("datum.layer <= depth")
    passed = layers.transform_calculate(gradient="pow(gain, depth - datum.layer)").encode(x, y)
    levels = [_level(y, 6e-8, "below: 0 in float16"), _level(y, 65504, "above: inf in float16")]
    first = passed.transform_filter("datum.layer == 1").mark_circle(color=ORANGE, size=110, opacity=1)
    first_gets = (
        "'The first of ' + depth + ' layers gets M^' + (depth - 1) + ' = ' + format(pow(gain, depth - 1), '.1e')"
    )
    meaning = "gain < 1 ? 'M < 1: it vanishes' : gain > 1 ? 'M > 1: it explodes' : 'M = 1: it arrives as it left'"
    head = alt.Title(alt.ExprRef(f"[{first_gets}, {meaning}]"))
    lines = passed.mark_line(color=BLUE, strokeWidth=2.2, point=alt.OverlayMarkDef(color=BLUE, size=18))
    drawn = alt.layer(*[part for level in levels for part in level], lines, first)
    return drawn.add_params(gain, depth).properties(width=640, height=260, title=head)


def _level(y: alt.Y, value: float, words: str) -> tuple[alt.Chart, alt.Chart]:
    """A dashed line with its words at the right end."""
    base = alt.Chart(alt.InlineData(values=[{"gradient": value, "words": words}]))
    rule = base.mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=y)
    text = base.mark_text(align="right", dy=-7, dx=-4, fontSize=11).encode(x=alt.value("width"), y=y, text="words:N")
    return rule, text
