"""The same script from other random numbers: a number added to every seed, its own ones included."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch


def shift_seeds(shift: int) -> None:
    """Seed torch, NumPy and `random` with `shift`, and add it to every seed that the script sets itself from now on."""
    for owner, name in ((torch, "manual_seed"), (random, "seed"), (np.random, "seed")):
        original = getattr(owner, name)
        original(shift)
        setattr(owner, name, _shifted(original, shift))
    np.random.default_rng = _shifted(np.random.default_rng, shift)
    torch.Generator = _generator(torch.Generator, shift)


def _shifted(original: Callable[..., Any], shift: int) -> Callable[..., Any]:
    def seed(value: Any = None, *args: Any, **kwargs: Any) -> Any:
        return original(value + shift if isinstance(value, int) else shift if value is None else value, *args, **kwargs)

    return seed


def _generator(original: type[torch.Generator], shift: int) -> Any:
    class Generator(original):
        """A torch.Generator whose seeds are shifted."""

        def manual_seed(self, seed: int) -> Generator:
            super().manual_seed(seed + shift)
            return self

    return Generator
