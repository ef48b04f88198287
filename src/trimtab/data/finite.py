"""Values that are not finite: refused with their place, or left out feature by feature."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from trimtab.data.axis import across

Policy = Literal["raise", "omit"]
SHOWN = 5  # features named in a message


def kept(x: Tensor, dim: int | None, *, nan: Policy, inf: Policy, where: str) -> Tensor | None:
    """The mask of the finite values, None where all are; raises for what the policies do not allow.

    Raises:
        ValueError: NaN under `nan="raise"` or ±Inf under `inf="raise"`; says how many, in which features, first row.
    """
    finite = x.isfinite()
    if bool(finite.all()):
        return None
    if nan == "raise":
        _refuse(x.isnan(), dim, "NaN", "nan", where)
    if inf == "raise":
        _refuse(x.isinf(), dim, "infinite", "inf", where)
    return finite


def _refuse(bad: Tensor, dim: int | None, what: str, option: str, where: str) -> None:
    number = int(bad.sum())
    if not number:
        return
    axes = across(bad, dim)
    row = int(bad.movedim(axes[0], 0).flatten(1).any(1).int().argmax()) if axes else 0
    raise ValueError(
        f"{where}: {number} value{'s are' if number > 1 else ' is'} {what}{_features(bad, dim)}, the first in row {row}"
        f" of this batch; expected finite values; clean the data, or leave such values out with {option}='omit'"
    )


def _features(bad: Tensor, dim: int | None) -> str:
    """Which features, and how many times each."""
    if dim is None:
        return ""
    counts = bad.movedim(dim, -1).reshape(-1, bad.shape[dim]).sum(0)
    places = torch.nonzero(counts).flatten().tolist()
    named = ", ".join(f"feature {place}: {int(counts[place])}" for place in places[:SHOWN])
    return f" ({named}{', …' if len(places) > SHOWN else ''})"
