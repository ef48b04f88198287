"""Observations with a structure: numbers, arrays and tensors in nested dicts, lists and tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def combine(function: Callable[..., Any], *trees: Any, where: str = "observation") -> Any:
    """`function(leaf, leaf, …)` at each place of trees that have one structure; the result has it too.

    Leaves are lifted to the precision in which they are averaged. `where` names the place in error messages.
    """
    first = trees[0]
    _check(trees, where)
    if isinstance(first, Mapping):
        return {key: combine(function, *(tree[key] for tree in trees), where=f"{where}[{key!r}]") for key in first}
    if isinstance(first, (list, tuple)):
        items = [combine(function, *parts, where=f"{where}[{i}]") for i, parts in enumerate(zip(*trees, strict=True))]
        return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
    return function(*(lifted(tree, where) for tree in trees))


def lifted(leaf: Any, where: str = "observation") -> Any:
    """A leaf in the precision in which it is averaged: float or complex, float64 array, tensor of at least float32."""
    if isinstance(leaf, Tensor):
        return _lifted_tensor(leaf.detach())
    if isinstance(leaf, np.ndarray) and not leaf.ndim:
        leaf = leaf[()]
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc":
        return leaf.astype(np.result_type(leaf.dtype, np.float64), copy=False)
    if isinstance(leaf, (bool, int, float, np.bool_, np.integer, np.floating)):
        return float(leaf)
    if isinstance(leaf, (complex, np.complexfloating)):
        return complex(leaf)
    raise TypeError(
        f"{where} is of type {type(leaf).__name__}, which has no average: "
        "give numbers, NumPy arrays, tensors, or dicts, lists and tuples of them"
    )


def _lifted_tensor(leaf: Tensor) -> Tensor:
    if leaf.is_complex():
        return leaf.to(torch.promote_types(leaf.dtype, torch.complex64))
    if leaf.is_floating_point():
        return leaf.float() if leaf.element_size() < 4 else leaf
    return leaf.double()


def _check(trees: tuple[Any, ...], where: str) -> None:
    """Raises ValueError where the last tree differs from the first: in keys, length, kind or shape."""
    expected, got = _form(trees[0]), _form(trees[-1])
    if got != expected:
        raise ValueError(
            f"{where} is {got}, the average has {expected} there: every observation needs the structure of the first; "
            "reset() begins anew with another"
        )


def _form(tree: Any) -> str:
    """What two trees must have in common at one place, in words."""
    if isinstance(tree, Mapping):
        return f"a dict with keys {sorted(map(repr, tree))}"
    if isinstance(tree, (list, tuple)):
        return f"a sequence of {len(tree)}"
    if isinstance(tree, Tensor):
        return f"a tensor of shape {tuple(tree.shape)}"
    if isinstance(tree, np.ndarray) and tree.ndim:
        return f"an array of shape {tree.shape}"
    return "a number"
