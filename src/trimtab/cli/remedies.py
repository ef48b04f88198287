"""`trimtab remedies`: the table of all remedies, as they are named in a recipe."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from trimtab.cli.parser import Parser
from trimtab.cli.publishing import next_command

_WIDTH = 80
_INDENT = "      "


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser().options(arguments)

    from trimtab.remedies import all_remedies
    from trimtab.trial.enactors import enactable

    known = enactable()
    for remedy in all_remedies():
        print(remedy.name + ("=…" if remedy.parameter else ""))
        lines = [remedy.sentence, f"treats: {', '.join(cause.value for cause in remedy.treats)}"]
        lines += [f"parameter: {remedy.parameter}"] if remedy.parameter else []
        lines += [] if remedy.name in known else ["by hand: it cannot be made in a script that is running"]
        for line in lines:
            print(textwrap.fill(line, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + "  "))
    print(next_command("run", "--with", "standardize-inputs,clip-by-norm=1.0", "train.py"))
    return 0


def parser() -> Parser:
    """The options of the command: none of its own."""
    return Parser(
        "trimtab remedies",
        "List the remedies: name, what is done, its parameter, what it treats.",
        examples=(
            ("trimtab remedies", "all of them"),
            ("trimtab run --with clip-by-norm=1.0 train.py", "train under one of them"),
        ),
        further="trimtab fix train.py tries those that the root cause calls for",
    )
