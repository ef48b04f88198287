"""trimtab keeps gradient descent on course: it says why a training run does not learn, and ships the remedies."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trimtab.version import __version__

if TYPE_CHECKING:
    from trimtab import average, clip, data, init, nn, optim
    from trimtab.pipeline import diagnose
    from trimtab.watching import Watcher as watch

__all__ = ["__version__", "average", "clip", "data", "diagnose", "init", "nn", "optim", "watch"]

_COMPONENTS = {"average", "clip", "data", "init", "nn", "optim"}


def __getattr__(name: str) -> Any:
    """Public names are imported at first use: `trimtab run` must not import torch before the script does."""
    if name == "diagnose":
        from trimtab.pipeline import diagnose

        return diagnose
    if name == "watch":
        from trimtab.watching import Watcher

        return Watcher
    if name in _COMPONENTS:
        return import_module(f"trimtab.{name}")
    raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
