"""`trimtab docs`: the documentation pages that this installation carries."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from trimtab.cli.parser import Parser
from trimtab.cli.publishing import next_command

NONE = 1
START = Path(__file__).resolve().parent.parent / "site" / "index.html"


def main(arguments: Sequence[str]) -> int:
    """Run the command: 1 where this installation has no pages."""
    options = parser().options(arguments)
    if not START.exists():
        print(
            "trimtab: this installation carries no pages, as one from a checkout: read docs/ there, "
            "or install a wheel that .ci/wheels has built",
            file=sys.stderr,
        )
        return NONE
    print(START)
    if not options.path:
        import webbrowser

        if not webbrowser.open(START.as_uri()):
            print("no browser could be started: open the file above in one")
        print(next_command("explain", "TT301"))
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab docs",
        "Open the documentation that was installed with trimtab in a browser; no network is needed.",
        examples=(("trimtab docs", "open it"), ("trimtab docs --path", "only say where it is")),
        codes={"0": "it is done", "1": "this installation carries no pages"},
        further="trimtab explain TT301 tells of a rule in the terminal",
    )
    parser.add_argument("--path", action="store_true", help="print the path of its first page, and open nothing")
    return parser
