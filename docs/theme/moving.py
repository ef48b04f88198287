"""Pictures that move: drawn from their specification; the static one stays for those who have no script."""

from __future__ import annotations

import json
import re
from pathlib import Path

import vl_convert
from mkdocs.utils import get_relative_url

from docs.moving import NAMES, chart

SCRIPT = "assets/moving.js"
PICTURE = re.compile(r'<p>\s*<img alt="([^"]*)" src="([^"]*?)(\w+)-moving\.svg"\s*/?>\s*</p>')


def script() -> str:
    """The page's own script bundled with Vega-Embed, Vega-Lite and Vega: one file for the whole site."""
    return vl_convert.javascript_bundle(Path(__file__).with_name("moving.js").read_text(encoding="utf-8"))


def brought_to_life(html: str, url: str) -> str:
    """The page with the specification of each such picture beside it."""
    live = PICTURE.sub(_figure, html)
    if live == html:
        return html
    return f'{live}\n<script defer src="{get_relative_url(SCRIPT, url)}"></script>'


def _figure(match: re.Match[str]) -> str:
    alt, folder, name = match.groups()
    if name not in NAMES:
        raise ValueError(f"docs/moving has no {name}.py, of which {folder}{name}-moving.svg is the picture")
    specification = json.dumps(chart(name).to_dict(), separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure class="moving" data-moving="{name}">'
        f'<img alt="{alt}" src="{folder}{name}-moving.svg">'
        f'<div class="live" role="group" aria-label="{alt}" hidden></div>'
        f'<script type="application/json">{specification}</script></figure>'
    )
