"""Functions of torch that are wrapped for a while."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

# Of torch.nn.functional; the modules of torch.nn call them.
LOSSES = (
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
)


class Patches:
    """Attributes replaced by wrappers, and put back in the reverse order."""

    def __init__(self) -> None:
        self._kept: list[tuple[Any, str, Any]] = []

    def wrap(self, owner: Any, name: str, around: Callable[[Function], Function]) -> None:
        """Replace a function of a class or module by `around(it)`."""
        original = vars(owner)[name]
        self._kept.append((owner, name, original))
        setattr(owner, name, functools.wraps(original)(around(original)))

    def remove(self) -> None:
        """Everything is as it was found."""
        for owner, name, original in reversed(self._kept):
            setattr(owner, name, original)
        self._kept = []
