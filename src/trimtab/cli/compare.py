"""`trimtab compare`: what changed between two recorded runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trimtab.cli.configuration import settings_for
from trimtab.cli.files import check_writable, write_whole
from trimtab.cli.parser import Parser, add_choice_of_file
from trimtab.cli.publishing import next_command


def main(arguments: Sequence[str]) -> int:
    """Run the command; a difference is no failure."""
    options = parser().options(arguments)
    settings = settings_for(options)
    piped = options.json == "-"
    for option, path in (("--json", None if piped else options.json), ("--html", options.html)):
        if path is not None:
            check_writable(path, option)

    from trimtab.record import read
    from trimtab.report import comparison_json, terminal
    from trimtab.report.comparison import compose_contrast
    from trimtab.report.contrast import contrast

    a, b = read(options.a), read(options.b)
    found = contrast(a, b, settings)
    if not piped:
        terminal.show(compose_contrast(found, a, b, charts=False), sys.stdout)
    if options.html is not None:
        from trimtab.report import page

        write_whole(options.html, page.of_document(compose_contrast(found, a, b), "trimtab: two runs compared"))
    if piped:
        print(comparison_json.dumps(found))
    elif options.json is not None:
        write_whole(options.json, comparison_json.dumps(found) + "\n")
    worse = options.b if found.b.status == "sick" else options.a
    print(("" if piped else "\n") + next_command("report", worse), file=sys.stderr if piped else sys.stdout)
    return 0


def parser() -> Parser:
    """The options of the command."""
    made = Parser(
        "trimtab compare",
        "Say what changed from one recorded run to another.",
        examples=(
            ("trimtab compare before.db after.db", "findings that are gone or new, and the losses"),
            ("trimtab compare before.db after.db --html both.html", "with the charts of both"),
        ),
        further="trimtab report RECORD tells of one of them",
    )
    made.add_argument("a", metavar="A", help="the record of the run before")
    made.add_argument("b", metavar="B", help="the record of the run after")
    made.add_argument("--json", metavar="FILE", help="write the comparison as JSON; - is stdout, without the report")
    made.add_argument("--html", metavar="FILE", help="write the comparison as one HTML page")
    add_choice_of_file(made)
    return made
