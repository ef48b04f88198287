"""Codes and recipes are checked before anything runs, and without importing the rules: those bring numpy."""

from __future__ import annotations

import os
from importlib.util import find_spec

from trimtab.cli.parameters import check_parameter
from trimtab.cli.plugins import plugin_codes
from trimtab.cli.spelling import suggestion
from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe
from trimtab.core.settings import Settings


def check_settings(settings: Settings) -> None:
    """Raise TrimtabError for a plugin that cannot be loaded, and for a code or prefix that no rule has."""
    others = plugin_codes(settings.plugins)
    if settings.select or settings.ignores:
        settings.check([*known_codes(), *others])


def check_recipe(recipe: Recipe) -> None:
    """Raise TrimtabError for a change that no remedy makes, and for a parameter that it does not take."""
    known = known_changes() if recipe else []
    for change in recipe.changes:
        if change.name not in known:
            hint = suggestion(change.name, known, "`trimtab remedies` lists them")
            raise TrimtabError(f"--with: there is no change {change.name!r}; {hint}")
        check_parameter(change)


def known_changes() -> list[str]:
    """The names of all remedies, read from the names of their files: clip_by_norm.py."""
    spec = find_spec("trimtab.remedies")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    files = sorted(name for folder in folders for name in os.listdir(folder))
    return [name[:-3].replace("_", "-") for name in files if name.endswith(".py") and not name.startswith("_")]


def known_codes() -> list[str]:
    """The codes of trimtab's own rules, read from the names of their files: tt301_vanishing_gradient.py."""
    spec = find_spec("trimtab.rules")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    files = sorted(name for folder in folders for name in os.listdir(folder))
    return [name[:5].upper() for name in files if name.startswith("tt") and name.endswith(".py")]
