"""The progress of a study on stderr: a bar with the time left on a terminal, a line for each round elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, float, float], None]]:
    """Gives what is to be told of the current round, the work done and the work in all."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description:<15}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("control", total=None)

        def told(what: str, done: float, of: float) -> None:
            total = None if what == "control" else of  # how much follows depends on what the control shows
            bar.update(task, description=what, completed=done, total=total)

        yield told


class _Lines:
    """A line when a round begins."""

    def __init__(self) -> None:
        self._told = ""

    def __call__(self, what: str, done: float, of: float) -> None:
        if what != self._told:
            self._told = what
            print(f"trimtab: {what}", file=sys.stderr, flush=True)
