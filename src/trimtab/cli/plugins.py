"""Plugins of rules, tried before a script runs, in a process of their own: what they import is not its world."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from trimtab.core.errors import TrimtabError

GROUP = b"[trimtab.rules]"
_ASK = (
    "import os, sys; sys.path[:] = sys.argv[1].split(os.pathsep); "
    "from trimtab.cli.plugins import tell; tell(sys.argv[2:])"
)


def plugin_codes(plugins: Sequence[str]) -> list[str]:
    """The codes of the rules of these plugins and of installed packages; raises TrimtabError for one that is broken."""
    if not plugins and not _any_installed():
        return []
    import subprocess  # only for those who have plugins: it brings modules that a script may have its own of

    path = os.pathsep.join(os.path.abspath(each) for each in sys.path if each)
    command = [sys.executable, "-c", _ASK, path, *plugins]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    said = done.stdout.splitlines()
    if done.returncode == 0 and said:
        return said[-1].split()
    raise TrimtabError((done.stderr.strip().splitlines() or ["the plugins of rules cannot be loaded"])[-1])


def tell(plugins: Sequence[str]) -> None:
    """Print the codes on one line; what is wrong goes to stderr."""
    from trimtab.rules import all_rules

    try:
        with contextlib.redirect_stdout(sys.stderr):  # a plugin may print while it is imported
            rules = all_rules(tuple(plugins))
    except TrimtabError as error:
        sys.exit(str(error))
    print(*(rule.code for rule in rules))


def _any_installed() -> bool:
    """Whether an installed package has rules. importlib.metadata would say so and bring `email`, `csv` and others."""
    return any(_has_rules(os.path.join(folder or ".", name)) for folder in sys.path for name in _metadata_in(folder))


def _metadata_in(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


def _has_rules(metadata: str) -> bool:
    try:
        with open(os.path.join(metadata, "entry_points.txt"), "rb") as file:
            return GROUP in file.read()
    except OSError:
        return False
