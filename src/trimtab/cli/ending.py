"""How a program ended, and the rest of what an interpreter does once its program is over."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from trimtab.cli import tracebacks
from trimtab.cli.program import Program, leave
from trimtab.core.errors import TrimtabError


@dataclass(frozen=True, slots=True)
class Ending:
    """`how` is the word of the record; `code` the exit code that python would have; `error` what is to be shown."""

    how: str
    code: int = 0
    error: BaseException | None = None
    interrupted: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the parent process sees success."""
        return not self.interrupted and self.code & 0xFF == 0


def execute(program: Program) -> Ending:
    """Run a program to its end; raises TrimtabError where it turns out that there is nothing to run."""
    try:
        program.body()
    except BaseException as error:
        _check_begun(program, error)
        if isinstance(error, _max_steps()):
            return Ending("max-steps")
        if isinstance(error, SystemExit):
            return _of_exit(error)
        # Python dies by the signal for KeyboardInterrupt itself, not for classes derived from it.
        how = "interrupt" if isinstance(error, KeyboardInterrupt) else "exception"
        return Ending(how, 1, error, interrupted=type(error) is KeyboardInterrupt)
    return Ending("end")


def wind_up(program: Program, ending: Ending) -> Ending:
    """Show the error, wait for threads and call the atexit functions, in the order in which python does it."""
    if ending.error is not None:
        try:
            tracebacks.show(ending.error)
        except SystemExit as error:  # out of the program's own excepthook, which has the last word
            ending = replace(_of_exit(error), how=ending.how, error=None)
    if ending.how != "exit":
        leave(program)
    # These two are what the interpreter calls at its end. They are called here so that what they do belongs to the
    # run and its record, and so that the report and the exit code can follow them; the second call does nothing.
    if threading := sys.modules.get("threading"):
        _protected(threading._shutdown, threading)
    _protected(atexit._run_exitfuncs, atexit)
    return ending


def die_of_interrupt() -> None:
    """End the process as an uncaught Ctrl-C does; its traceback has been shown already."""
    sys.excepthook = lambda *_: None
    raise KeyboardInterrupt


def _of_exit(error: SystemExit) -> Ending:
    if error.code is None or isinstance(error.code, int):
        return Ending("exit", error.code or 0)
    return Ending("exit", 1, error)


def _check_begun(program: Program, error: BaseException) -> None:
    """Modules and packages are looked up and compiled by runpy, so that only its complaint tells of their absence."""
    if program.own_file or tracebacks.innermost(error) != "runpy":
        return
    if isinstance(error, SystemExit) and type(error.__context__).__name__ == "_Error":
        raise TrimtabError(f"cannot run {program.name}: {error.__context__}") from error
    if isinstance(error, SyntaxError):
        where = f"{error.filename or program.name} is not Python: line {error.lineno or 1} {error.msg}"
        raise TrimtabError(f"cannot run {program.name}: {where}; nothing was run") from error


def _max_steps() -> type[BaseException] | tuple[()]:
    watch = sys.modules.get("trimtab.watching")  # without it there was no torch, and nothing to be ended
    return getattr(watch, "MaxSteps", ())


def _protected(call: Callable[[], Any], owner: object) -> None:
    try:
        call()
    except BaseException as error:
        # Ctrl-C while waiting for a thread. The interpreter hands this to sys.unraisablehook, which only C can call.
        tracebacks.clean(error)
        print(f"Exception ignored in: {owner!r}", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
