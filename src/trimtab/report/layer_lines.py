"""The line of the source at which a layer is built, found by its name: `net.2` is the third item of `self.net`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_LISTS = ("Sequential", "ModuleList")


def line_of_layer(trees: Iterable[ast.Module], name: str) -> tuple[int, int] | None:
    """The tree's place among `trees` and the line; None where the source does not say it beyond doubt.

    The name is followed into literal `Sequential(…)` and `ModuleList([…])`, and into classes of the program.
    """
    parts = name.replace("[", ".").replace("]", "").split(".")
    found = [(place, node) for place, tree in enumerate(trees) for node in _built(tree, parts[0])]
    if len(found) != 1:
        return None
    place, node = found[0]
    if parts[0].isdigit():
        return place, _follow(node, parts).lineno
    return place, _follow(node, parts[1:]).lineno


def _built(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """What is assigned to the name, or to the attribute of `self`; for a number, each literal Sequential."""
    for node in ast.walk(scope):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if _is_list(node.value) if name.isdigit() else any(_names(target, name) for target in targets):
            yield node.value


def _names(target: ast.expr, name: str) -> bool:
    if isinstance(target, ast.Attribute):
        return target.attr == name and isinstance(target.value, ast.Name) and target.value.id == "self"
    return isinstance(target, ast.Name) and target.id == name


def _follow(node: ast.expr, parts: list[str]) -> ast.expr:
    """The expression that builds the part, as far as it is written out."""
    for part in parts:
        items = _items(node)
        if not part.isdigit() or int(part) >= len(items) or _unsure(items[: int(part) + 1]):
            return node
        node = items[int(part)]
    return node


def _items(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if not _is_list(node) or not isinstance(node, ast.Call):
        return []
    if len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple)):
        return node.args[0].elts
    return node.args if _called(node) == "Sequential" else []


def _unsure(items: list[ast.expr]) -> bool:
    return any(isinstance(item, ast.Starred) for item in items)


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _called(node) in _LISTS


def _called(node: ast.Call) -> str:
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
