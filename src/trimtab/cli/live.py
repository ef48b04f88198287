"""`trimtab run --live`: the same run as a process of its own, in the upper part of the terminal, with a view below."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from trimtab.cli.files import check_record, default_record
from trimtab.cli.launch import Terms, launch
from trimtab.cli.program import Program
from trimtab.cli.selection import check_settings
from trimtab.core.errors import TrimtabError


def launch_live(program: Program, terms: Terms, options: Sequence[str]) -> int:
    """Run the program with `options` as `trimtab run` takes them; what it returns, `trimtab run` would have returned.

    Without a terminal that can be divided the program runs as without --live, and one line says so.
    """
    if terms.quiet:
        raise TrimtabError("--live and --quiet exclude each other; leave one of them out")
    check_settings(terms.wishes.settings)
    terms.wishes.check()
    if terms.record is not None:
        check_record(terms.record)
    record = terms.record or default_record(program.stem)
    terminal, why = _terminal()
    if terminal is None:
        print(f"trimtab: no live view, because {why}; from another terminal: trimtab watch {record}", file=sys.stderr)
        return launch(program, replace(terms, record=record))

    from trimtab.live.beside import run_beside
    from trimtab.live.panel import Panel
    from trimtab.pipeline import diagnose

    judge = partial(diagnose, settings=terms.wishes.settings)
    panel = Panel(os.path.abspath(record), program.name, judge, ascii_only=not _speaks_utf8())
    own = [*options, *([] if terms.record is not None else ["--record", record])]
    code = run_beside([*_ourselves(), "run", *own, "--", *program.words], terminal, panel)
    return code if code >= 0 else _die_of(-code)


def _terminal() -> tuple[str | None, str]:
    """The name of the terminal on which the program would be seen, or why there is none."""
    shown = next((stream for stream in (2, 1) if _is_terminal(stream)), None)
    if os.name == "nt":
        return None, "Windows has no terminals that can be divided"
    if shown is None:
        return None, "neither stderr nor stdout is a terminal"
    piped = next((name for stream, name in ((1, "stdout"), (2, "stderr")) if _is_pipe(stream)), None)
    if piped is not None:
        return None, f"{piped} is a pipe, which may lead to the same terminal by another way"
    if os.environ.get("TERM", "dumb") == "dumb":
        return None, "TERM names no terminal that can be divided"
    try:
        if os.tcgetpgrp(shown) != os.getpgrp():
            return None, "this run is in the background"
        return os.ttyname(shown), ""
    except OSError as error:
        return None, f"the terminal cannot be used ({error.strerror})"


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False


def _is_pipe(stream: int) -> bool:
    try:
        mode = os.fstat(stream).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _ourselves() -> list[str]:
    """The words that started this trimtab, interpreter and its flags included."""
    if sys.argv[1:2] != ["run"]:
        return [sys.executable, "-m", "trimtab"]
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def _speaks_utf8() -> bool:
    return (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"


def _die_of(number: int) -> int:
    """End as the program ended; a core of it was written already, where one is wanted."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number  # of a signal that does not end a process
