"""Codes and recipes are checked before anything runs, and without importing the rules: those bring numpy."""

from __future__ import annotations

import os
from importlib.util import find_spec

from trimtab.cli.plugins import plugin_codes
from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe
from trimtab.core.settings import Settings


def check_settings(settings: Settings) -> None:
    """Raise TrimtabError for a plugin that cannot be loaded, and for a code or prefix that no rule has."""
    settings.check([*known_codes(), *plugin_codes(settings.plugins)])


def check_recipe(recipe: Recipe) -> None:
    """Raise TrimtabError for a change that no remedy makes; whether its parameter is one, the enactor says."""
    known = known_changes() if recipe else []
    for change in recipe.changes:
        if change.name not in known:
            import difflib  # only here: a file of this name beside the script must not keep trimtab from starting

            near = difflib.get_close_matches(change.name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "`trimtab remedies` lists them"
            raise TrimtabError(f"--with: there is no change {change.name!r}; {hint}")


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
