"""Pages of the site that stand elsewhere in the checkout: the benchmarks, the changelog, how to contribute."""

from __future__ import annotations

import os.path
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {"benchmarks.md": "benchmarks/README.md", "changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def pages() -> dict[str, str]:
    """Their text by the name that they have in the site."""
    return {name: _moved(path, (ROOT / path).read_text(encoding="utf-8")) for name, path in PAGES.items()}


def _moved(path: str, text: str) -> str:
    """The text with its links from the root of the site; a link to what is not in the site is its words alone."""
    names = {there: here for here, there in PAGES.items()} | {"README.md": "index.md"}

    def link(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        if "://" in target:
            return match[0]
        target = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if target in names:
            return f"[{words}]({names[target]}{anchor})"
        return f"[{words}]({target[5:]}{anchor})" if target.startswith("docs/") else words

    return LINK.sub(link, text)
