"""`trimtab diagnose`: the diagnosis of a record, as text, JSON or SARIF."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from trimtab.cli.launch import BAR_REACHED
from trimtab.cli.parser import Parser, add_choice_of_rules
from trimtab.cli.publishing import Wishes, is_reached, next_command, publish


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)

    from trimtab.record import read

    piped = options.json == "-"
    wishes = Wishes(
        json=None if piped else options.json,
        select=options.select,
        ignore=options.ignore,
        fail_on=options.fail_on,
        sarif=options.sarif,
    )
    wishes.check()
    trace = read(options.record)
    diagnosis = publish(trace, wishes, None if piped else sys.stdout, os.getcwd())
    if piped:
        from trimtab.report import json

        print(json.dumps(diagnosis))
    print(next_command("report", options.record), file=sys.stderr if piped else sys.stdout)
    return BAR_REACHED if is_reached(diagnosis, wishes.fail_on) else 0


def parser() -> Parser:
    """The options of the command."""
    made = Parser("trimtab diagnose", "Diagnose the record of an earlier run.")
    made.add_argument("record", metavar="RECORD")
    made.add_argument("--json", metavar="FILE", help="write the diagnosis as JSON; - is stdout, without the report")
    made.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF, for code review")
    add_choice_of_rules(made)
    return made
