"""Codes are checked before anything runs, and without importing the rules: those bring numpy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec

from trimtab.core.registry import select


def check_codes(chosen: Sequence[str], ignored: Sequence[str]) -> None:
    """Raise TrimtabError for a code or prefix that no rule has."""
    if chosen or ignored:
        select(known_codes(), list(chosen), list(ignored))


def known_codes() -> list[str]:
    """The codes of all rules, read from the names of their files: tt301_vanishing_gradient.py."""
    spec = find_spec("trimtab.rules")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    files = sorted(name for folder in folders for name in os.listdir(folder))
    return [name[:5].upper() for name in files if name.startswith("tt") and name.endswith(".py")]
