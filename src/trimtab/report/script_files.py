"""The files of a program, read and never run: the script, and the modules beside it that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MOST = 200
_LARGEST = 2_000_000  # bytes: what is larger was not written by hand


def files_of(script: str | None, home: Path) -> dict[Path, ast.Module]:
    """The files that can be read and parsed, the script first; `home` is where the program was started."""
    start = _start(script, home)
    trees: dict[Path, ast.Module] = {}
    waiting = [] if start is None else [start]
    while waiting and len(trees) < MOST:
        path = waiting.pop(0)
        if path not in trees and (tree := _parsed(path)) is not None:
            trees[path] = tree
            waiting += _imported(tree, path, start.parent if start is not None else home)
    return trees


def _start(script: str | None, home: Path) -> Path | None:
    if not script:
        return None
    if script.startswith("-m "):
        inside = home.joinpath(*script.removeprefix("-m ").strip().split("."))
        candidates = (inside.with_suffix(".py"), inside / "__main__.py")
    else:
        candidates = (home / script, home / script / "__main__.py")
    return next((path for path in candidates if path.is_file()), None)


def _parsed(path: Path) -> ast.Module | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.Module, path: Path, folder: Path) -> Iterator[Path]:
    """The files that the imports of a module lead to, as far as they lie beside it or beside the script."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found = [(node.level, base), *((node.level, f"{base}.{alias.name}".strip(".")) for alias in node.names)]
        else:
            continue
        for level, name in found:
            places = (path.parents[level - 1],) if 0 < level <= len(path.parents) else (folder, path.parent)
            for place in places:
                inside = place.joinpath(*name.split("."))
                yield from (file for file in (inside.with_suffix(".py"), inside / "__init__.py") if file.is_file())
