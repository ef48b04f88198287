"""The two variances by name."""

from __future__ import annotations

from typing import Literal, get_args

Variance = Literal["biased", "unbiased"]


def correction(variance: str, option: str = "variance") -> int:
    """What is taken from the number of values before dividing: 0 for "biased", 1 for "unbiased" as in `torch.var`."""
    if variance not in get_args(Variance):
        raise ValueError(f'{option}={variance!r}: expected "biased" (divides by n) or "unbiased" (by n − 1)')
    return int(variance == "unbiased")
