"""The rules: one file each, found by their file."""

from __future__ import annotations

import inspect
from functools import cache

from trimtab.core.registry import modules_of
from trimtab.core.rule import Rule


@cache
def all_rules() -> list[Rule]:
    """One instance of every rule, by code."""
    classes = {
        value
        for module in modules_of("trimtab.rules")
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Rule) and value.__module__ == module.__name__
    }
    return sorted((rule() for rule in classes), key=lambda rule: rule.code)
