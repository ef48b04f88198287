"""How a message calls a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor


def name_of(param: Tensor, groups: Sequence[Mapping[str, Any]]) -> str:
    """Its number among all, and its name where the optimizer was given names: `parameter 3 ('layer.weight')`."""
    places = [(group, j) for group in groups for j in range(len(group["params"]))]
    i, (group, j) = next((i, place) for i, place in enumerate(places) if place[0]["params"][place[1]] is param)
    return f"parameter {i} ({group['param_names'][j]!r})" if "param_names" in group else f"parameter {i}"
