"""`trimtab report`: the HTML page of a record."""

from __future__ import annotations

import os
from collections.abc import Sequence

from trimtab.cli.parser import Parser
from trimtab.cli.publishing import Wishes, next_command, publish


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser("trimtab report", "Make the HTML page of a record: one file that opens without a network.")
    parser.add_argument("record", metavar="RECORD")
    parser.add_argument("--html", metavar="FILE", help="where the page goes (the record's name with .html)")
    options = parser.options(arguments)

    from trimtab.record import read

    trace = read(options.record)
    wishes = Wishes(html=options.html or f"{os.path.splitext(options.record)[0]}.html")
    wishes.check()
    diagnosis = publish(trace, wishes, None, os.getcwd())
    print(f"wrote {wishes.html}: open it in a browser")
    print(next_command("explain", diagnosis.findings[0].code) if diagnosis.findings else next_command("rules"))
    return 0
