"""The rules: one file each, found by their file; and those of plugins beside them."""

from __future__ import annotations

import inspect
from functools import cache

from trimtab.core.plugins import OURS, plugin_rules
from trimtab.core.registry import modules_of
from trimtab.core.rule import Rule

__all__ = ["OURS", "all_rules"]


@cache
def all_rules(plugins: tuple[str, ...] = ()) -> list[Rule]:
    """One instance of every rule, by code: trimtab's, those of installed packages, and of the plugins named."""
    classes = {
        value
        for module in modules_of("trimtab.rules")
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Rule) and value.__module__ == module.__name__
    }
    own = [rule() for rule in classes]
    return sorted([*own, *plugin_rules(plugins, own)], key=lambda rule: rule.code)
