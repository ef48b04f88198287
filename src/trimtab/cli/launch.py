"""A program under the watcher, from its first line to the exit code: what `run` and `demo` have in common."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from trimtab.cli.arrival import when_imported
from trimtab.cli.ending import die_of_interrupt, execute, wind_up
from trimtab.cli.files import check_record, default_record
from trimtab.cli.program import Program, enter
from trimtab.cli.publishing import Wishes, is_reached, next_command, publish
from trimtab.cli.selection import check_settings
from trimtab.cli.termination import Termination
from trimtab.cli.watching import Watching
from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe

if TYPE_CHECKING:
    from trimtab.core.finding import Diagnosis

BAD_INPUT, BAR_REACHED = 2, 3
AS_IT_IS = Recipe()


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run is watched, and what is to be made of it."""

    wishes: Wishes
    record: str | None = None
    max_steps: int | None = None
    quiet: bool = False
    recipe: Recipe = AS_IT_IS
    seed: int = 0


def launch(program: Program, terms: Terms) -> int:
    """Run the program, report, and return its exit code, or 3 where it succeeded and the bar was reached."""
    check_settings(terms.wishes.settings)
    terms.wishes.check()
    if terms.record is not None:
        check_record(terms.record)
    closing = _Closing(program, terms, terms.record or default_record(program.stem))
    termination = Termination(lambda: closing.conclude("terminated"))
    enter(program)
    when_imported("torch", closing.watching.begin)
    try:
        ending = execute(program)
    except TrimtabError:
        closing.watching.discard()
        raise
    ending = wind_up(program, ending)
    termination.lift()
    ours = closing.conclude(ending.how)
    if ending.interrupted:
        die_of_interrupt()
    return ours if ours and ending.succeeded else ending.code


class _Closing:
    """The end of a run: everything that was settled at its start and must hold whatever the program did meanwhile."""

    def __init__(self, program: Program, terms: Terms, record: str) -> None:
        self._program = program
        self._terms = terms
        self._record = record
        self._stream = sys.stderr
        self._home = os.getcwd()
        self._pid = os.getpid()
        path = os.path.abspath(record)
        self.watching = Watching(path, program, terms)

    def conclude(self, how: str) -> int:
        """Stop watching and report; gives 0, or the exit code that trimtab's part calls for. Never raises."""
        if os.getpid() != self._pid:
            return 0  # a child that the program forked, and that came to its own end
        if how != "terminated":
            _flush(sys.stdout)
        # From here on only trimtab imports: a rich.py beside the program must not stand in for the package.
        if self._program.folder in sys.path:
            sys.path.remove(self._program.folder)
        try:
            return self._report(how)
        except TrimtabError as error:
            return self._failed(str(error))
        except KeyboardInterrupt:
            return self._failed("interrupted while reporting")
        except Exception as error:
            return self._failed(f"the diagnosis failed ({type(error).__name__}: {error})")

    def _report(self, how: str) -> int:
        wishes, stream = self._terms.wishes, None if self._terms.quiet else self._stream
        trace = self.watching.end(how)
        if stream is None and not wishes.wanted():
            return 0
        diagnosis = publish(trace, wishes, stream, self._home)
        if stream is not None:
            kept = self._record if self.watching.kept else None
            written = [path for path in (kept, *(path for _, path in wishes.files())) if path]
            wrote = f"wrote {', '.join(written)}\n" if written else ""
            print(f"\n{wrote}{self._next(diagnosis)}", file=stream)
        return BAR_REACHED if is_reached(diagnosis, wishes.fail_on) else 0

    def _next(self, diagnosis: Diagnosis) -> str:
        if diagnosis.status == "unseen":
            return next_command("demo")
        if self._terms.wishes.html is None:
            return next_command("report", self._record, "--html", f"{self._program.stem}.html")
        if diagnosis.findings:
            return next_command("explain", diagnosis.findings[0].code)
        return next_command("diagnose", self._record)

    def _failed(self, why: str) -> int:
        kept = f"; the record is kept: {self._record}" if os.path.exists(self._record) else ""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            print(f"trimtab: {why}{kept}", file=self._stream)
        # A fault of trimtab's must not fail a training run, but what was asked for and is missing must not pass.
        return BAD_INPUT if self._terms.wishes.wanted() else 0


def _flush(stream: TextIO) -> None:
    """What the interpreter does at its end, so that the report stands below the program's output."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.flush()
