"""Pictures with sliders: the browser computes them anew from their formulas as a slider moves."""

from __future__ import annotations

from importlib import import_module
from typing import Any

NAMES = ("rate", "ema", "epsilon", "depth")


def chart(name: str) -> Any:
    """The chart of this name, with its sliders."""
    return import_module(f"docs.moving.{name}").chart()
