"""Formulas as MathML, which browsers draw themselves: no script and no font is loaded."""

from __future__ import annotations

import re
from html import unescape

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.S)


def as_mathml(html: str) -> str:
    """The page with each formula of `pymdownx.arithmatex` written out."""
    return FORMULA.sub(_formula, html)


def _formula(match: re.Match[str]) -> str:
    tag, opening, tex = match[1], match[2], unescape(match[3])
    mathml = convert(tex, display="block" if opening == "[" else "inline")
    return f'<{tag} class="formula">{mathml}</{tag}>'
