"""The line of the source at which a layer is built, found by its name: `net.2` is the third item of `self.net`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_LISTS = ("Sequential", "ModuleList")


def line_of_layer(trees: Sequence[ast.Module], name: str) -> tuple[int, int] | None:
    """The tree's place among `trees` and the line; None where the source does not say it beyond doubt.

    The name is followed into literal `Sequential(…)` and `ModuleList([…])`, and into classes of the program, as far as
    they are written out.
    """
    parts = name.replace("[", ".").replace("]", "").split(".")
    found = [(place, node) for place, tree in enumerate(trees) for node in _built(tree, parts[0])]
    if len(found) != 1:
        return None
    place, node = found[0]
    for part in parts[0 if parts[0].isdigit() else 1 :]:
        inside = _item(place, node, int(part)) if part.isdigit() else _attribute(trees, node, part)
        if inside is None:
            break
        place, node = inside
    return place, node.lineno


def _item(place: int, node: ast.expr, number: int) -> tuple[int, ast.expr] | None:
    """An item of a literal list of layers, unless an unknown number of others stands before it."""
    items = _items(node)[: number + 1]
    sure = len(items) == number + 1 and not any(isinstance(item, ast.Starred) for item in items)
    return (place, items[number]) if sure else None


def _attribute(trees: Sequence[ast.Module], node: ast.expr, name: str) -> tuple[int, ast.expr] | None:
    """What an object of a class of the program has under a name."""
    called = _called(node) if isinstance(node, ast.Call) else ""
    classes = [
        (place, part)
        for place, tree in enumerate(trees)
        for part in ast.walk(tree)
        if isinstance(part, ast.ClassDef) and part.name == called
    ]
    found = [(place, built) for place, part in classes for built in _built(part, name)]
    return found[0] if len(classes) == 1 and len(found) == 1 else None


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


def _items(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if not _is_list(node) or not isinstance(node, ast.Call):
        return []
    if len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple)):
        return node.args[0].elts
    return node.args if _called(node) == "Sequential" else []


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _called(node) in _LISTS


def _called(node: ast.Call) -> str:
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
