"""The bundled examples: small training scripts as a user would write them, most of them sick."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from trimtab.core.errors import TrimtabError

DEFAULT = "sigmoid-digits"
_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Example:
    """A bundled script; `summary` is the first line of its docstring."""

    name: str
    path: Path
    summary: str


def all_examples() -> list[Example]:
    """Every bundled example, the default one first, then by name; nothing is imported or run."""
    found = [_read(path) for path in sorted(_SCRIPTS.glob("*.py"))]
    return sorted(found, key=lambda example: (example.name != DEFAULT, example.name))


def example(name: str) -> Example:
    """The example of that name; raises TrimtabError where there is none."""
    for candidate in all_examples():
        if candidate.name == name:
            return candidate
    raise TrimtabError(f"no example is named {name!r}; `trimtab demo --list` lists them")


def _read(path: Path) -> Example:
    summary = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return Example(path.stem.replace("_", "-"), path, summary)
