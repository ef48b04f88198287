"""`trimtab serve`: the runs of a folder in the browser, updated as they go."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file, port
from trimtab.cli.publishing import next_command
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Settings

if TYPE_CHECKING:
    from trimtab.live.runs import Runs


def main(arguments: Sequence[str]) -> int:
    """Run the command until Ctrl-C."""
    options = parser().options(arguments)
    settings = settings_for(options)

    from trimtab.live.server import Server

    runs, first = _runs(options.place, settings)
    try:
        server = Server(runs, options.port)
    except OSError as error:
        raise TrimtabError(f"cannot serve on port {options.port}: {error.strerror}; use another --port") from error
    url = server.url + first
    print(f"{url}\nCtrl-C ends", flush=True)
    with server, tempfile.TemporaryDirectory(prefix="trimtab-") as folder:
        if options.open:
            _open(url, folder)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    newest = next((os.path.join(options.place, name) for name in runs.names()), None)
    print(next_command("demo") if newest is None else next_command("report", options.place if first else newest))
    return 0


def _runs(place: str, settings: Settings) -> tuple[Runs, str]:
    """The runs at a place, and the path of the one that is to be shown first, if any."""
    from trimtab.live.pages import part
    from trimtab.live.runs import Runs
    from trimtab.pipeline import diagnose

    judge = partial(diagnose, settings=settings)
    if os.path.isdir(place):
        return Runs(place, judge=judge), ""
    if not os.path.isfile(place):
        raise TrimtabError(f"nothing to serve at {place}: no folder and no record; `trimtab run script.py` writes one")
    folder, name = os.path.split(os.path.realpath(place))
    return Runs(folder, name, judge), f"run/{part(name)}"


def _open(url: str, folder: str) -> None:
    """Open the browser by way of a file that only this user can read: everybody can read a command line."""
    page = Path(folder) / "open.html"
    page.write_text(f'<meta http-equiv="refresh" content="0; url={escape(url)}">', encoding="utf-8")
    if not webbrowser.open(page.as_uri()):
        print("trimtab: found no browser to open; open the address above", file=sys.stderr)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab serve",
        "Show runs in the browser: a list, the page of each as it goes, two side by side.",
        examples=(
            ("trimtab serve --open", "the runs of this folder"),
            ("trimtab serve run.db --port 8000", "one of them, at an address that stays"),
        ),
        further="trimtab report RECORD makes the page of a run as one file",
    )
    parser.add_argument("place", metavar="RECORD|DIR", nargs="?", default=".trimtab", help="what is shown (.trimtab)")
    parser.add_argument("--port", type=port, default=0, metavar="N", help="on which port (any that is free)")
    parser.add_argument("--open", action=argparse.BooleanOptionalAction, default=False, help="open the browser")
    add_choice_of_file(parser)
    return parser
