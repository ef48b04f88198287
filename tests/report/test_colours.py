"""Colours can be told from the paper by eyes that see little contrast: WCAG 2.2, 1.4.3 for text, 1.4.11 for marks."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from trimtab.report.figures import canvas

TEXT, MARK = 4.5, 3.0
THEMES = re.findall(r":root \{(.*?)\}", (files("trimtab.report") / "assets" / "page.css").read_text(), re.DOTALL)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
def test_contrast_of_text_and_marks(theme: str) -> None:
    named = dict(re.findall(r"--(\w+): (#\w{6})", theme))
    for text in ("ink", "soft", "fail", "warn", "note", "healthy", "unseen"):
        assert min(ratio(named[text], named[ground]) for ground in ("paper", "card")) >= TEXT, text
    for mark in (*canvas.PALETTE, *canvas.THROUGH_DEPTH, canvas.ALARM, canvas.SOFT, canvas.GREEN):
        assert ratio(mark, named["paper"]) >= MARK - 0.005, mark
