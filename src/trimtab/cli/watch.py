"""`trimtab watch`: a run in progress, seen from another terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file
from trimtab.cli.publishing import next_command
from trimtab.core.settings import Settings

if TYPE_CHECKING:
    from trimtab.live.following import Snapshot


def main(arguments: Sequence[str]) -> int:
    """Run the command; Ctrl-C leaves it, and the run alone."""
    options = parser().options(arguments)
    settings = settings_for(options)

    from trimtab.live.following import newest

    path = options.record or newest(".trimtab")
    with contextlib.suppress(KeyboardInterrupt):
        (_on_screen if sys.stdout.isatty() else _in_lines)(_news(path, settings), path)
    print(next_command("diagnose", path))
    return 0


def _news(path: str, settings: Settings) -> Iterator[Snapshot | None]:
    """The run each time when something was written, None while it is as it was; ends when the run has ended."""
    from trimtab.live.following import Follower
    from trimtab.pipeline import diagnose

    follower = Follower(path, partial(diagnose, settings=settings))
    while True:
        news = follower.news()
        yield news
        if news is not None and news.state != "running":
            return
        time.sleep(follower.pause)


def _in_lines(news: Iterator[Snapshot | None], path: str) -> None:
    """One line for each news, for a pipe or a file."""
    from trimtab.live.view import in_a_line

    encoding = sys.stdout.encoding or "utf-8"
    for run in news:
        if run is not None:
            print(in_a_line(run).encode(encoding, "replace").decode(encoding), flush=True)


def _on_screen(news: Iterator[Snapshot | None], path: str) -> None:
    """The view, on the alternate screen, where no resizing tears it; the last of it stays behind."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from trimtab.live.view import lines
    from trimtab.report.names import clean

    console = Console(highlight=False, legacy_windows=False)
    shown: Snapshot | None = None

    def view() -> Group:
        if shown is None:
            return Group(Text(f"{clean(path)}: nothing recorded yet; the script has not imported torch"))
        height = max(console.height - 1, 1)
        return Group(*lines(shown, console.width, height, ascii_only=not console.encoding.startswith("utf")))

    try:
        with Live(console=console, screen=True, auto_refresh=False, get_renderable=view) as live:
            for run in news:
                shown = shown if run is None else run
                live.refresh()
    finally:
        if shown is not None:
            console.print(view())


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab watch",
        "Show a run while it goes, read from its record; the run does not notice.",
        examples=(
            ("trimtab watch", "the newest run of this folder"),
            ("trimtab watch run.db | tail -n 1", "a line for each look, for a pipe"),
        ),
        further="trimtab serve shows the same in a browser",
    )
    parser.add_argument("record", metavar="RECORD", nargs="?", help="the record (the newest in .trimtab)")
    add_choice_of_file(parser)
    return parser
