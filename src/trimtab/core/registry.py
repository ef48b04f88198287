"""One file = one rule or remedy: the registry finds them by importing every module of a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

from trimtab.core.errors import TrimtabError

T = TypeVar("T")


def modules_of(package: str) -> Iterator[ModuleType]:
    """The modules of a package in the order of their names, imported; private ones (`_x`) left out."""
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{package}.{info.name}")


def instances_of(package: str, wanted: type[T]) -> list[T]:
    """Every module-level instance of `wanted` that a package's modules define."""
    return [value for module in modules_of(package) for value in vars(module).values() if isinstance(value, wanted)]


def select(codes: list[str], chosen: list[str], ignored: list[str]) -> list[str]:
    """Codes that begin with a chosen prefix (all, when none is chosen) and with no ignored one.

    Raises TrimtabError for a prefix that fits no code: it is a spelling mistake, not an empty choice.
    """
    for prefix in (*chosen, *ignored):
        if not prefix or not any(code.startswith(prefix) for code in codes):
            raise TrimtabError(f"no rule has the code or prefix {prefix!r}; `trimtab rules` lists them")
    return [
        code
        for code in codes
        if (not chosen or code.startswith(tuple(chosen))) and not (ignored and code.startswith(tuple(ignored)))
    ]
