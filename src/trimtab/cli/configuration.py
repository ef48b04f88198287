"""The settings of a command: those of the nearest `pyproject.toml`, over which what was typed wins."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import Any, cast

from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Settings, from_table

FILE = "pyproject.toml"


def settings_for(options: argparse.Namespace, folder: str | None = None) -> Settings:
    """The settings under the options of a command, of which it may have some only.

    The file is the one that was named, or the nearest from `folder` (the working directory) upward that has a table
    `[tool.trimtab]`. Raises TrimtabError for a file that cannot be read or says what it cannot.
    """
    said = vars(options)
    if said.get("no_config"):
        found = Settings()
    elif said.get("config") is not None:
        found = _named(said["config"])
    else:
        found = _nearest(os.getcwd() if folder is None else folder)
    return found.with_words(said.get("select") or (), said.get("ignore") or (), said.get("fail_on"), said.get("budget"))


def _named(path: str) -> Settings:
    try:
        with open(path, "rb") as file:
            table = _parsed(file.read(), path)
    except OSError as error:
        raise TrimtabError(f"--config {path}: cannot be read ({error.strerror}); name a TOML file") from error
    if table is None:
        raise TrimtabError(f"--config {path}: there is no table [tool.trimtab] in it")
    return _settings(table, path)


def _nearest(folder: str) -> Settings:
    """A file without the table is passed over, as one that cannot be opened: it is meant for other tools."""
    place = os.path.abspath(folder)
    while True:
        path = os.path.join(place, FILE)
        try:
            with open(path, "rb") as file:
                table = _table(file.read(), path)
        except OSError:
            table = None
        if table is not None:
            return _settings(table, path)
        place, below = os.path.dirname(place), place
        if place == below:
            return Settings()


def _table(data: bytes, path: str) -> dict[str, object] | None:
    """The table [tool.trimtab], or None. TOML is parsed only where the word stands in it."""
    return _parsed(data, path) if b"trimtab" in data else None


def _parsed(data: bytes, path: str) -> dict[str, object] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        content: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrimtabError(f"{_shown(path)} is no TOML: {error}; mend it, or use --no-config") from error
    tool = content.get("tool", {})
    table = tool.get("trimtab") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise TrimtabError(f"{_shown(path)}: tool.trimtab is a table; got {table!r}")
    return cast("dict[str, object] | None", table)


def _settings(table: dict[str, object], path: str) -> Settings:
    """The settings, with files of plugins where they lie: their paths are relative to the file that names them."""
    settings = from_table(table, _shown(path))
    home = os.path.dirname(os.path.abspath(path))
    plugins = (os.path.join(home, each) if each.endswith(".py") else each for each in settings.plugins)
    return replace(settings, plugins=tuple(plugins))


def _shown(path: str) -> str:
    """A path as a user would type it: relative where it lies in the working directory."""
    short = os.path.relpath(path)
    return os.path.abspath(path) if short.startswith(os.path.join("..", "..")) else short
