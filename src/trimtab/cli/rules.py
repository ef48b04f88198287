"""`trimtab rules`: the table of all rules."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file
from trimtab.cli.publishing import next_command

_WIDTH = 80


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    settings = settings_for(parser().options(arguments))

    from trimtab.rules import all_rules

    rules = all_rules(settings.plugins)
    room = max(len(rule.name) for rule in rules) + 2
    for rule in rules:
        head = f"{rule.code}  {rule.name:<{room}}"
        what = (inspect.getdoc(type(rule)) or "").partition("\n\n")[0]
        print(textwrap.fill(what, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))
    print(next_command("explain", rules[0].code))
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab rules",
        "List the rules: code, name, and what a run has that they report; with those of plugins.",
        examples=(("trimtab rules", "all of them"), ("trimtab rules | grep TT3", "those on gradients")),
        further="trimtab explain TT301 tells what a rule measures and when it is wrong",
    )
    add_choice_of_file(parser)
    return parser
