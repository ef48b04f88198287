"""trimtab keeps gradient descent on course: it says why a training run does not learn, and ships the remedies."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trimtab.version import __version__

if TYPE_CHECKING:
    from trimtab import average, clip, data, init, nn, optim
    from trimtab.pipeline import diagnose, prescribe
    from trimtab.trial.verify import verify
    from trimtab.watching import Watcher as watch

__all__ = ["__version__", "average", "clip", "data", "diagnose", "init", "nn", "optim", "prescribe", "verify", "watch"]

_FUNCTIONS = {
    "diagnose": ("trimtab.pipeline", "diagnose"),
    "prescribe": ("trimtab.pipeline", "prescribe"),
    "verify": ("trimtab.trial.verify", "verify"),
    "watch": ("trimtab.watching", "Watcher"),
}
_COMPONENTS = {"average", "clip", "data", "init", "nn", "optim"}


def __getattr__(name: str) -> Any:
    """Public names are imported at first use: `trimtab run` must not import torch before the script does."""
    if name in _FUNCTIONS:
        module, attribute = _FUNCTIONS[name]
        return getattr(import_module(module), attribute)
    if name in _COMPONENTS:
        return import_module(f"trimtab.{name}")
    raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
