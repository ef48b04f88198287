"""MkDocs' hooks: pages from outside this folder, formulas as MathML, references from the source, pictures that move."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the command `mkdocs` does not look for `docs` where it is called

from docs.theme import font, maths, moving, outside, reference  # noqa: E402


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let a fence named `reference` show a function as it stands in the package."""
    superfences: dict[str, Any] = config.mdx_configs.setdefault("pymdownx.superfences", {})
    superfences["custom_fences"] = [{"name": "reference", "class": "reference", "format": reference.fence}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is no file of this folder."""
    for name, text in outside.pages().items():
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, moving.SCRIPT, content=moving.script()))
    files.append(File.generated(config, font.NAME, content=font.woff()))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas, and the pictures that move."""
    return moving.brought_to_life(maths.as_mathml(html), page.url)
