"""One program run twice: by python, and by `trimtab run --quiet`, each in a folder of the same content."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Result:
    """What a parent process sees."""

    code: int
    out: str
    err: str


Start = Callable[..., subprocess.Popen[str]]
Run = Callable[..., Result]


def environment(**extra: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "COV"))}
    return {**kept, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **extra}


def begin(words: Sequence[str], folder: Path, env: Mapping[str, str], **options: Any) -> subprocess.Popen[str]:
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    if os.name == "posix":
        # A job in the background of a shell inherits an ignored SIGINT, which python then leaves ignored.
        streams["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment(**env), text=True, **{**streams, **options}
    )


def finish(process: subprocess.Popen[str], stdin: str = "") -> Result:
    out, err = process.communicate(stdin, timeout=90)
    return Result(process.returncode, out, err)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`python *words`, started and not waited for; what a failing test leaves behind is killed."""
    begun: list[subprocess.Popen[str]] = []

    def begin_here(*words: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        begun.append(begin(words, tmp_path, env or {}, **options))
        return begun[-1]

    yield begin_here
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def trimtab(tmp_path: Path) -> Run:
    """`trimtab *words` in a folder of its own."""

    def run(*words: str, stdin: str = "", **extra: str) -> Result:
        return finish(begin(["-m", "trimtab", *words], tmp_path, extra), stdin)

    return run


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., tuple[Result, Result]]:
    """`python *words` and `trimtab run --quiet *words`, side by side; `flags` go to the interpreter."""

    def run(*words: str, stdin: str = "", flags: tuple[str, ...] = (), **extra: str) -> tuple[Result, Result]:
        plain = begin([*flags, *words], tmp_path, extra)
        watched = begin([*flags, "-m", "trimtab", "run", "--quiet", "--record", ".run.db", *words], tmp_path, extra)
        return finish(plain, stdin), finish(watched, stdin)

    return run
