"""`trimtab report`: the HTML page of a record."""

from __future__ import annotations

import os
from collections.abc import Sequence

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file
from trimtab.cli.publishing import Wishes, next_command, publish


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)

    from trimtab.record import read

    trace = read(options.record)
    wishes = Wishes(html=options.html or f"{os.path.splitext(options.record)[0]}.html", settings=settings_for(options))
    wishes.check()
    diagnosis = publish(trace, wishes, None, os.getcwd())
    print(f"wrote {wishes.html}: open it in a browser")
    print(next_command("explain", diagnosis.findings[0].code) if diagnosis.findings else next_command("rules"))
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab report",
        "Make the HTML page of a record: one file that opens without a network. It needs no torch.",
        examples=(
            ("trimtab report run.db", "writes run.html"),
            ("trimtab report run.db --html monday.html", "writes monday.html"),
        ),
        further="trimtab explain TT301 tells of a rule that the page names",
    )
    parser.add_argument("record", metavar="RECORD", help="the file that trimtab run has named")
    parser.add_argument("--html", metavar="FILE", help="where the page goes (the record's name with .html)")
    add_choice_of_file(parser)
    return parser
