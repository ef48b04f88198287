"""SVG without what no reader sees."""

from __future__ import annotations

import re

UNSEEN = re.compile(
    r' (?:aria-\w+|role|pointer-events|class|stroke-miterlimit)="[^"]*"| transform="translate\(0,0\)"| opacity="1"'
)
EMPTY = re.compile(r'<path d="" display="none"/>|<path(?: d="M[\d.,]+h-?[\d.]+v-?[\d.]+h-?[\d.]+Z")?/>|<g></g>')
TAG = re.compile(r"<[^>]+>")
NUMBER = re.compile(r"-?\d+\.\d{2,}")
DOT = re.compile(
    r'<path transform="translate\(([^,]+),([^)]+)\)" d="M([\d.]+),0A[^"]*" fill="([^"]+)"[^>]*?( opacity="[^"]*")?/>'
)


def slim(text: str) -> str:
    """The same picture: no labels of dots, nothing empty, tenths of a pixel, dots as circles."""
    text = UNSEEN.sub("", text)
    text = TAG.sub(lambda tag: NUMBER.sub(_tenths, tag[0]), text)
    text = DOT.sub(r'<circle cx="\1" cy="\2" r="\3" fill="\4"\5/>', text)
    while (fewer := EMPTY.sub("", text)) != text:
        text = fewer
    return text + "\n"


def _tenths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
