"""A fence that names functions of the package and shows them as they stand in the source."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer


def fence(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **rest: Any) -> str:
    """The functions named in the fence, one a line, highlighted."""
    text = "\n\n".join(written(name) for name in source.split())
    return highlight(text, PythonLexer(), HtmlFormatter(cssclass="highlight", wrapcode=True))


def written(name: str) -> str:
    """The source of a function by its full name: `trimtab.methods.ema.ema`."""
    module, _, function = name.rpartition(".")
    return inspect.getsource(getattr(import_module(module), function)).rstrip() + "\n"
