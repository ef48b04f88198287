"""Child runs that need not import torch each: a process that has done so forks one for every run.

Run as `python -m trimtab.cli.nursery`. It reads one job a line from stdin, as JSON (`number`, `words`, `folder`,
`env`, `out`), and writes `{"number", "pid"}` when a run has begun and `{"number", "code"}` when it has ended. Each run
leads a process group of its own, so that it can be ended with all that it has started.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from typing import Any

POLL_SECONDS = 0.02


def main() -> None:
    """Import what every run needs, then fork until stdin ends. There are no threads: a fork would copy their locks."""
    import torch  # noqa: F401

    import trimtab.cli.run
    import trimtab.trial.enact
    import trimtab.watching  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    running: dict[int, int] = {}
    for line in _lines(running):
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            _live(job)
        running[pid] = job["number"]
        _say(number=job["number"], pid=pid)


def _lines(running: dict[int, int]) -> Iterator[bytes]:
    """Lines of stdin as they come; in between, the ends of runs are told."""
    rest = b""
    while True:
        if select.select([0], [], [], POLL_SECONDS)[0]:
            data = os.read(0, 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _say(number=running.pop(pid), code=os.waitstatus_to_exitcode(status))


def _live(job: dict[str, Any]) -> None:
    """The child: the command line of `trimtab run` in the job's folder; never returns."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        out = os.open(job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for target, source in ((0, nothing), (1, out), (2, out)):
            os.dup2(source, target)
        sys.stdin = os.fdopen(0, closefd=False)
        os.chdir(job["folder"])
        os.environ.clear()
        os.environ.update(job["env"])
        sys.argv = ["trimtab", "run", *job["words"]]
        sys.path[0] = ""
        sys.path[1:1] = [p for p in job["env"].get("PYTHONPATH", "").split(os.pathsep) if p and p not in sys.path]
        code = trimtab_run(job["words"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code & 0xFF)


def trimtab_run(words: list[str]) -> int:
    """`trimtab run`, with an error of usage said as the command line says it."""
    from trimtab.cli import main as command

    return command(["run", *words])


def _say(**content: int) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
