"""Steps that are left out: counted in the parameter groups, and in a compiled graph, which cannot ask, taken back.

The count stands in every group, as what stands elsewhere does not come through `torch.distributed.checkpoint`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

SKIPPED = "skipped_steps"  # since the group is there: an int, or a tensor where compiled steps have counted


def count_(groups: Sequence[dict[str, Any]], skipped: int | Tensor) -> None:
    """One step more, or none."""
    for group in groups:
        group[SKIPPED] = group.get(SKIPPED, 0) + skipped


def counted(groups: Sequence[Mapping[str, Any]]) -> int:
    """By the group that has been there the longest."""
    return max((int(group.get(SKIPPED, 0)) for group in groups), default=0)


def must_skip(groups: Sequence[Mapping[str, Any]], looks: bool, found_inf: Tensor | None) -> Tensor:
    """Whether a gradient has inf or NaN, if it `looks`, or a GradScaler has found one; not read on the host."""
    grads = [cast(Tensor, p.grad) for group in groups for p in group["params"] if looks and p.grad is not None]
    signs = [~torch.isfinite(g).all() for g in grads]
    signs += [] if found_inf is None else [found_inf.reshape(()) != 0]
    return torch.stack([sign.to(signs[0].device) for sign in signs]).any() if signs else torch.zeros(()).bool()


def unless(
    skip: Tensor, step: Callable[[], None], groups: Sequence[Mapping[str, Any]], state: Mapping[Any, dict[str, Any]]
) -> None:
    """Take the step and take it back where it must not be; a memory that it begins, begins as zeros then."""
    before = [(p, p.clone(), {key: x.clone() for key, x in _memory(p, state)}) for p in _params(groups)]
    step()
    for p, weights, memory in before:
        _take_back(p, weights, skip)
        for key, x in _memory(p, state):
            _take_back(x, memory.get(key, torch.zeros_like(x)), skip)


def _take_back(x: Tensor, before: Tensor, skip: Tensor) -> None:
    x.copy_(torch.where(skip.to(x.device), before, x))


def _params(groups: Sequence[Mapping[str, Any]]) -> Iterator[Tensor]:
    return (p for group in groups for p in group["params"])


def _memory(param: Tensor, state: Mapping[Any, dict[str, Any]]) -> list[tuple[str, Tensor]]:
    return [(key, x) for key, x in state.get(param, {}).items() if isinstance(x, Tensor)]
