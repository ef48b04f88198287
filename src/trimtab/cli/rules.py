"""`trimtab rules`: the table of all rules."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

from trimtab.cli.parser import Parser
from trimtab.cli.publishing import next_command

_WIDTH = 80


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    Parser("trimtab rules", "List the rules: code, name, and what a run has that they report.").options(arguments)

    from trimtab.rules import all_rules

    rules = all_rules()
    room = max(len(rule.name) for rule in rules) + 2
    for rule in rules:
        head = f"{rule.code}  {rule.name:<{room}}"
        what = (inspect.getdoc(type(rule)) or "").partition("\n\n")[0]
        print(textwrap.fill(what, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))
    print(next_command("explain", rules[0].code))
    return 0
