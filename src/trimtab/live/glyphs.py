"""Numbers as rows of characters: a sparkline of a series, and a level for a value between two bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimtab.core.trace import Floats

_WIDE = 30.0  # above this ratio of largest to smallest a linear scale shows nothing but the largest
_LEAST = 0.1  # of the level: noise on a plateau must not look like a course


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of a view, for a terminal of one encoding."""

    levels: str
    bar: str
    bad: str
    rule: str
    branch: str
    to: str
    dot: str
    more: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "█", "×", "─", "└", "→", "·", "…")
ASCII = Glyphs("_.-=+*#@", "#", "x", "-", "-", "->", "|", "...")


def level(value: float, low: float, high: float, levels: int) -> int:
    """Which of so many levels a value has between two bounds."""
    if high <= low:
        return 0
    return int(np.clip((value - low) / (high - low) * levels, 0, levels - 1))


def sparkline(values: Floats, width: int, glyphs: Glyphs) -> str:
    """The course of finite and broken values [T] in at most `width` characters, logarithmic where they are wide.

    A character stands for the mean of its stretch; one in which a value was NaN or Inf is marked.
    """
    if not len(values):
        return ""
    stretches = np.array_split(values, min(width, len(values)))
    broken = [bool((~np.isfinite(stretch)).any()) for stretch in stretches]
    means = np.array([stretch.mean() if not bad else np.nan for stretch, bad in zip(stretches, broken, strict=True)])
    finite = means[np.isfinite(means)]
    if len(finite) and finite.min() > 0 and finite.max() > _WIDE * finite.min():
        means, finite = np.log(means), np.log(finite)
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    high = max(high, low + _LEAST * abs(low))
    return "".join(
        glyphs.levels[level(float(mean), low, high, len(glyphs.levels))] if np.isfinite(mean) else glyphs.bad
        for mean in means
    )
