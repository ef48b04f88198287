"""A Griffe extension: doctests in the running text of a docstring are shown as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"^( *)>>> .*\n?(?:\1\S.*\n?)*", re.M)


class Doctests(griffe.Extension):
    """Fences them before the docstring is parsed."""

    def on_object(self, *, obj: griffe.Object, **rest: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = DOCTEST.sub(lambda found: _fenced(found[0], found[1]), obj.docstring.value)


def _fenced(text: str, indent: str) -> str:
    return f"{indent}```pycon\n{text.rstrip()}\n{indent}```\n"
