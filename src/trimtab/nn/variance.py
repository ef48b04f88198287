"""The two variances by name."""

from __future__ import annotations

from typing import Literal, get_args

Variance = Literal["biased", "unbiased"]
VARIANCES = get_args(Variance)  # asked for here, as torch 2.6 compiles no `get_args`


def correction(variance: str, option: str = "variance") -> int:
    """What is taken from the number of values before dividing: 0 for "biased", 1 for "unbiased" as in `torch.var`."""
    if variance not in VARIANCES:
        raise ValueError(f'{option}={variance!r}: expected "biased" (divides by n) or "unbiased" (by n − 1)')
    return int(variance == "unbiased")
