"""Options of trimtab that stand after the program, where they are the program's."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from trimtab.cli.program import Program


def remark(program: Program, options: Iterable[str]) -> None:
    """Say on stderr which of our `options` the program gets, unless its file shows that it knows them."""
    words = program.words[: program.words.index("--")] if "--" in program.words else program.words
    typed = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    lost = [option for option in options if option in typed]
    if not lost or program.file is None:
        return
    text = _text(program.file)
    lost = [option for option in lost if not re.search(rf"\b{option[2:].replace('-', '[-_]')}\b", text)]
    if lost:
        names = f"{', '.join(lost)}, after {program.name}, {'are' if lost[1:] else 'is'} the script's"
        print(f"trimtab: {names}; options of trimtab stand before it", file=sys.stderr)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
