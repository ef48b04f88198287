"""From a trace to what was asked for: the terminal report, JSON and page files, and whether the bar was reached."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

from trimtab.cli.files import check_writable, write_whole
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import FailOn, Settings

if TYPE_CHECKING:
    from trimtab.core.finding import Diagnosis
    from trimtab.core.trace import Trace

DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked to be made of a trace; paths are as given, relative to where trimtab was started."""

    json: str | None = None
    html: str | None = None
    settings: Settings = DEFAULTS
    sarif: str | None = None

    @property
    def fail_on(self) -> FailOn:
        """How severe a finding must be for exit code 3."""
        return self.settings.fail_on

    def wanted(self) -> bool:
        """Whether a diagnosis is needed even if nobody reads the report."""
        return any(path is not None for _, path in self.files()) or self.fail_on != "never"

    def files(self) -> tuple[tuple[str, str | None], ...]:
        """The options that name a file, with the file where one was asked for."""
        return ("--json", self.json), ("--html", self.html), ("--sarif", self.sarif)

    def check(self) -> None:
        """Raise TrimtabError for what cannot be fulfilled, before anything is run."""
        for option, path in self.files():
            if path is not None:
                check_writable(path, option)


def publish(trace: Trace, wishes: Wishes, stream: TextIO | None, home: str) -> Diagnosis:
    """Diagnose, write the report to the stream (None: nowhere) and the files that were asked for.

    `home` is the folder in which trimtab was started: a program may have gone elsewhere. All of it is tried, and the
    first failure raised as TrimtabError at the end.
    """
    from trimtab.pipeline import diagnose

    diagnosis = diagnose(trace, settings=wishes.settings)
    if stream is not None:
        from trimtab.report import terminal

        terminal.write(diagnosis, trace, file=stream)
    failures: list[TrimtabError] = []
    for path, make in (
        (wishes.json, _as_json),
        (wishes.html, _as_page),
        (wishes.sarif, partial(_as_sarif, plugins=wishes.settings.plugins)),
    ):
        if path is not None:
            try:
                write_whole(os.path.join(home, path), make(diagnosis, trace, home))
            except TrimtabError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    return diagnosis


def is_reached(diagnosis: Diagnosis, bar: FailOn) -> bool:
    """Whether a finding is at least as severe as the bar."""
    from trimtab.core.finding import Severity

    return bar != "never" and any(finding.severity >= Severity[bar.upper()] for finding in diagnosis.findings)


def next_command(*words: str) -> str:
    """The last line of a command: what to type next, quoted for a shell."""
    return f"next: {shlex.join(('trimtab', *words))}"


def _as_json(diagnosis: Diagnosis, trace: Trace, home: str) -> str:
    from trimtab.report import json

    return json.dumps(diagnosis) + "\n"


def _as_page(diagnosis: Diagnosis, trace: Trace, home: str) -> str:
    from trimtab.report import page

    return page.render(diagnosis, trace)


def _as_sarif(diagnosis: Diagnosis, trace: Trace, home: str, plugins: tuple[str, ...]) -> str:
    from trimtab.report import sarif

    return sarif.dumps(diagnosis, trace, home, plugins) + "\n"
