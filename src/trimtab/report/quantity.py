"""Numbers as people read them: three significant digits, no NaN that looks like a word."""

from __future__ import annotations

import math

from trimtab.core.trace import Scalar
from trimtab.report.names import shorten

_SHARES = {"share", "fraction", "dead", "saturated", "stuck"}


def quantity(value: Scalar, key: str = "") -> str:
    """A value in words: `0.0123`, `1.2e-07`, `43 %` when the key says that it is a share, `yes`, `–` for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return shorten(value, 60)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    if key.split("_")[-1] in _SHARES and 0 <= value <= 1:
        return percent(value)
    return number(value)


def percent(fraction: float) -> str:
    """`43 %`, `1.2 %`."""
    return f"{number(100 * fraction)} %" if math.isfinite(fraction) else "unknown"


def number(value: float) -> str:
    """Three significant digits; a power of ten outside 1e-3 … 1e6; whole numbers in full."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
