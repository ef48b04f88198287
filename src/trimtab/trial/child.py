"""One run of the script in a process of its own, under a recipe and from given random numbers."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.core.recipe import Recipe
from trimtab.core.study import Run
from trimtab.core.trace import Trace
from trimtab.record import read
from trimtab.trial.runner import Runner
from trimtab.trial.scratch import scratch

CUT = "stopped after"  # how the trouble of a run begins that had no more time
BUDGET = "20"  # per cent: a trial is run to be looked at


@dataclass(frozen=True, slots=True)
class Script:
    """A script or -m module with its arguments, and the folder from which it is started."""

    words: tuple[str, ...]
    folder: Path


def run(
    runner: Runner, script: Script, recipe: Recipe, seed: int, steps: int | None, limit: float | None = None
) -> Run:
    """Run the script in a copy of its folder for at most `steps` optimizer steps and `limit` seconds."""
    began = time.monotonic()
    with scratch(script.folder) as copy, tempfile.TemporaryDirectory(prefix="trimtab-record-") as place:
        record, out = Path(place) / "run.db", Path(place) / "out.txt"
        options = ["--quiet", "--no-config", "--record", str(record), "--budget", BUDGET, "--seed", str(seed)]
        options += ["--max-steps", str(steps)] if steps is not None else []
        options += ["--with", str(recipe)] if recipe else []
        words = [*options, *moved(script.words, script.folder, copy)]
        code = runner.run(words, copy, _environment(script.folder, copy), out, limit)
        trouble = (
            f"stopped after {time.monotonic() - began:.0f} s" if code is None else _last_words(out) if code else ""
        )
        return Run(recipe, seed, _trace(record), time.monotonic() - began, trouble)


def moved(words: Sequence[str], folder: Path, copy: Path) -> list[str]:
    """The words, with the script's path in the copy where it lies in the folder."""
    if not words or words[0].startswith("-"):
        return list(words)
    return [_inside(words[0], folder, copy), *words[1:]]


def _environment(folder: Path, copy: Path) -> dict[str, str]:
    """The environment, with paths to import from as they were meant from where trimtab was started."""
    env = {**os.environ, "TRIMTAB_TRIAL": "1"}
    paths = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    if paths:
        env["PYTHONPATH"] = os.pathsep.join(_inside(path, folder, copy) for path in paths)
    return env


def _inside(path: str, folder: Path, copy: Path) -> str:
    """An absolute path: in the copy where it lies in the folder."""
    place, home = (folder / path).resolve(), folder.resolve()
    return str(copy / place.relative_to(home) if place.is_relative_to(home) else place)


def _last_words(out: Path) -> str:
    text = out.read_text(errors="replace").strip() if out.exists() else ""
    return text.rpartition("\n")[2] or "it ended with an error"


def _trace(record: Path) -> Trace | None:
    """The trace in a record; None where none was begun."""
    if not record.exists() or not record.stat().st_size:
        return None
    trace = read(record)
    return trace if trace.steps else None
