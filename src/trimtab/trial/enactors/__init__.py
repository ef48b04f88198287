"""The changes that can be made in a live script, one file a family."""

from __future__ import annotations

import inspect
from functools import cache

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Change
from trimtab.core.registry import modules_of
from trimtab.trial.enactors.base import Call, Enactor

__all__ = ["Call", "Enactor", "enactable", "make"]


@cache
def enactable() -> dict[str, type[Enactor]]:
    """Every change by name."""
    classes = {
        value
        for module in modules_of("trimtab.trial.enactors")
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Enactor) and value.__module__ == module.__name__
    }
    return {name: kind for kind in classes for name in kind.names}


def make(change: Change) -> Enactor:
    """The enactor of a change; raises TrimtabError for one that cannot be made in a live script."""
    kind = enactable().get(change.name)
    if kind is None:
        raise TrimtabError(
            f"{change.name} cannot be made in a script that is running; `trimtab remedies` lists those that can"
        )
    return kind(change)
