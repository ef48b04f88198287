"""Libraries that only one format needs: imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from trimtab.core.errors import TrimtabError


def needed(module: str, extra: str) -> ModuleType:
    """The module; raises TrimtabError with the command that installs it where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        package = (error.name or module).partition(".")[0]
        raise TrimtabError(
            f"--to {extra} needs the package {package}, which cannot be imported: pip install 'trimtab[{extra}]'"
        ) from error
