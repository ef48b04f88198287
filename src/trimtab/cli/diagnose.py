"""`trimtab diagnose`: the diagnosis of a record, as text, JSON or SARIF."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from trimtab.cli.configuration import settings_for
from trimtab.cli.launch import BAR_REACHED
from trimtab.cli.parser import Parser, add_choice_of_rules
from trimtab.cli.publishing import Wishes, is_reached, next_command, publish


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)

    from trimtab.record import read

    piped = options.json == "-"
    wishes = Wishes(json=None if piped else options.json, settings=settings_for(options), sarif=options.sarif)
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
    parser = Parser(
        "trimtab diagnose",
        "Diagnose the record of an earlier run, again, without running anything.",
        examples=(
            ("trimtab diagnose .trimtab/train-20261122-180000.db", "the report once more"),
            ("trimtab diagnose --ignore TT305 run.db", "without one of the rules"),
            ("trimtab diagnose --json - run.db | jq .status", "for another program"),
        ),
        codes={"0": "it is done", "2": "bad input, said in one line", "3": "--fail-on was reached"},
        further="trimtab report RECORD makes a page with charts",
    )
    parser.add_argument("record", metavar="RECORD", help="the file that trimtab run has named")
    parser.add_argument("--json", metavar="FILE", help="write the diagnosis as JSON; - is stdout, without the report")
    parser.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF, for code review")
    add_choice_of_rules(parser)
    return parser
