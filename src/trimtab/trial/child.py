"""One run of the script in a process of its own, under a recipe and from given random numbers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.core.recipe import Recipe
from trimtab.core.trace import Trace
from trimtab.record import read
from trimtab.trial.scratch import scratch

BUDGET = "20"  # per cent: a trial is run to be looked at


@dataclass(frozen=True, slots=True)
class Run:
    """What one child run did. `trace` is None where it left no record, with the reason in `trouble`."""

    recipe: Recipe
    seed: int
    trace: Trace | None
    seconds: float
    trouble: str = ""

    @property
    def untested(self) -> str:
        """Why a change of the recipe could not be made in this script; empty where all were."""
        said = self.trace.meta.get("untested") if self.trace is not None else None
        return str(said) if said else ""


def run(
    words: Sequence[str], folder: Path, recipe: Recipe, seed: int, steps: int | None, limit: float | None = None
) -> Run:
    """Run `words` (a script or -m module with its arguments), started in a copy of `folder`, for at most `steps`."""
    began = time.monotonic()
    with scratch(folder) as copy, tempfile.TemporaryDirectory(prefix="trimtab-record-") as place:
        record = Path(place) / "run.db"
        options = ["--quiet", "--record", str(record), "--budget", BUDGET, "--seed", str(seed)]
        options += ["--max-steps", str(steps)] if steps is not None else []
        options += ["--with", str(recipe)] if recipe else []
        command = [sys.executable, "-m", "trimtab", "run", *options, *moved(words, folder, copy)]
        trouble = ""
        try:
            done = subprocess.run(
                command,
                cwd=copy,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=limit,
                env=_env(copy),
            )
            if done.returncode:
                trouble = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        except subprocess.TimeoutExpired:
            trouble = f"stopped after {limit:.0f} s"
        trace = _trace(record)
        return Run(recipe, seed, trace, time.monotonic() - began, trouble)


def moved(words: Sequence[str], folder: Path, copy: Path) -> list[str]:
    """The words, with the script's path in the copy where it lies in the folder."""
    if not words or words[0].startswith("-"):
        return list(words)
    script = (folder / words[0]).resolve()
    inside = script.is_relative_to(folder.resolve())
    return [str(copy / script.relative_to(folder.resolve())) if inside else str(script), *words[1:]]


def _env(copy: Path) -> dict[str, str]:
    """The environment, with paths to import from as they were meant from where trimtab was started."""
    env = {**os.environ, "TRIMTAB_TRIAL": "1"}
    if env.get("PYTHONPATH"):
        env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(p) for p in env["PYTHONPATH"].split(os.pathsep) if p)
    return env


def _trace(record: Path) -> Trace | None:
    """The trace in a record; None where none was begun."""
    if not record.exists() or not record.stat().st_size:
        return None
    trace = read(record)
    return trace if trace.steps else None
