"""Run a command in a scratch folder on one core, and read the metric that a program prints last."""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Job = TypeVar("Job")
Result = TypeVar("Result")

TIMEOUT_S = 120


@dataclass(frozen=True)
class Outcome:
    """What one child process did."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def metric(self) -> float:
        """The number on the last line `metric <float>`, or NaN where there is none."""
        last = self.stdout.strip().rpartition("\n")[2]
        word, _, value = last.partition(" ")
        try:
            return float(value) if word == "metric" else math.nan
        except ValueError:
            return math.nan


def launch(
    command: Sequence[str],
    seed: int = 0,
    python_path: os.PathLike[str] | None = None,
    timeout: float = TIMEOUT_S,
) -> Outcome:
    """Run to the end, or for `timeout` seconds, in a folder of its own that is removed afterwards.

    `python_path` is a folder to import from, besides those that PYTHONPATH names.
    """
    # One thread each, so that times and sums do not depend on how many run side by side.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "SEED": str(seed), "PYTHONWARNINGS": "default"}
    folders = [*([] if python_path is None else [os.fspath(python_path)]), *env.get("PYTHONPATH", "").split(os.pathsep)]
    env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(p) for p in folders if p)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="clinic-") as folder:
        try:
            done = subprocess.run(
                command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout, check=False
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            code, out, err = -1, "", f"no end after {timeout} s"
    return Outcome(code, out, err, time.perf_counter() - start)


def in_parallel(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int, label: str
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result as it ends, under a progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, ThreadPoolExecutor(workers) as pool:
        bar = progress.add_task(label, total=len(jobs))
        futures = {pool.submit(work, job): job for job in jobs}
        for future in as_completed(futures):
            progress.advance(bar)
            yield futures[future], future.result()
