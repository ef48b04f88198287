"""Rules of other packages and of single files: found by entry point or path, and held to the contract of a rule."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from trimtab.core.errors import TrimtabError
from trimtab.core.rule import Rule

GROUP = "trimtab.rules"
OURS = "TT"  # how the codes of trimtab's own rules begin, and no other's
_CODE = re.compile(r"[A-Z]{2,}\d{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def plugin_rules(plugins: Sequence[str], taken: Sequence[Rule]) -> list[Rule]:
    """The rules of installed packages (entry points `trimtab.rules`) and of the plugins named: files or modules.

    Raises TrimtabError for a plugin that cannot be loaded, and for a rule that breaks the contract or has the code or
    name of one that is `taken`.
    """
    known = {word: "trimtab" for rule in taken for word in (rule.code, rule.name)}
    found: list[Rule] = []
    for plugin, thing in _things(plugins):
        for rule in _rules_in(plugin, thing):
            _hold_to_contract(plugin, rule)
            for word in (rule.code, rule.name):
                if word in known:
                    raise TrimtabError(f"{plugin}: {word} is a rule of {known[word]} already; give yours another")
                known[word] = plugin
            found.append(rule)
    return found


def _things(plugins: Sequence[str]) -> Iterator[tuple[str, object]]:
    """What each plugin gives, under a name that tells a user where to look."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        name = f"plugin {entry.value} of {entry.dist.name if entry.dist else 'an installed package'}"
        try:
            yield name, entry.load()
        except (Exception, SystemExit) as error:
            raise TrimtabError(f"{name} cannot be loaded: {_said(error)}; mend or uninstall it") from error
    for plugin in plugins:
        name = f"plugin {plugin}"
        try:
            yield name, _of_file(Path(plugin)) if plugin.endswith(".py") else importlib.import_module(plugin)
        except (Exception, SystemExit) as error:
            raise TrimtabError(f"{name} cannot be loaded: {_said(error)}; mend it, or use --no-config") from error


def _of_file(path: Path) -> ModuleType:
    """The module in a file, loaded once, under a name that no other module has."""
    name = f"trimtab_plugin_{path.stem}_{abs(hash(str(path.resolve()))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError("there is no such file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _rules_in(plugin: str, thing: object) -> list[Rule]:
    """A rule, an instance of a class of rules, or one of each class that a module defines."""
    if isinstance(thing, Rule):
        return [thing]
    if inspect.isclass(thing) and issubclass(thing, Rule):
        classes = [thing]
    else:
        own = [value for value in vars(thing).values() if inspect.isclass(value)] if inspect.ismodule(thing) else []
        classes = [each for each in own if issubclass(each, Rule) and each.__module__ == getattr(thing, "__name__", "")]
    if not classes:
        raise TrimtabError(f"{plugin} has no rule: expected a subclass of trimtab.core.rule.Rule in it")
    return [_made(plugin, each) for each in classes]


def _made(plugin: str, kind: type[Rule]) -> Rule:
    try:
        return kind()
    except Exception as error:
        raise TrimtabError(f"{plugin}: the rule {kind.__name__} cannot be made: {_said(error)}") from error


def _hold_to_contract(plugin: str, rule: Rule) -> None:
    who = type(rule).__name__
    for attribute in ("code", "name", "needs"):
        if not hasattr(rule, attribute):
            raise TrimtabError(f"{plugin}: the rule {who} has no {attribute}; every rule has code, name and needs")
    if not _CODE.fullmatch(str(rule.code)) or rule.code.startswith(OURS):
        raise TrimtabError(
            f"{plugin}: the code of {who} is two or more capitals and three digits, as in MY101, and begins with no "
            f"{OURS}; got {rule.code!r}"
        )
    if not _NAME.fullmatch(str(rule.name)):
        raise TrimtabError(
            f"{plugin}: the name of {rule.code} is words with hyphens between, as in my-rule; got {rule.name!r}"
        )


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
