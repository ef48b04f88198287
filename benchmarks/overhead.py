"""What watching costs: wall time of training with and without the watcher.

    python benchmarks/overhead.py [--runs N] [--only NAME …]

Method. A run is one process that trains on 2 threads. After 30 steps that are looked at one by one, and timed apart,
short blocks of steps (about a quarter of a second) alternate: one with the watcher's hooks in place, one without them,
the order within a pair alternating too. Model, memory layout and machine are the same for both sides, and a drift of
the machine falls on both: whole processes, and long stretches in one process, were tried first and differ by 10 % for
such reasons alone. The watcher's clock stands still while it is out, so that it looks as often as in a run that it
watches throughout. What its background thread does every second and a half is done inside the watched blocks. All
watched blocks of a run together are compared with all plain ones (a median block would hide the few steps that are
looked at); the table shows the median over the runs with the quartiles. Start-up is measured on whole processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
from workloads import WORKLOADS, Training

from trimtab.watching import Watcher
from trimtab.watching.flush import INTERVAL

DENSE = 30
THREADS = 2
HERE = Path(__file__).parent


class Run(NamedTuple):
    """Seconds of a mean step without and with the watcher, and what its first 30 steps cost more, together."""

    plain: float
    watched: float
    dense: float


class Interruptible(Watcher):
    """A watcher that can be taken out and put back in the middle of a run."""

    def start(self) -> Interruptible:
        super().start()
        self._flusher._stop.set()  # its thread ends: `flush_if_due` does the same within the watched blocks
        self._flushed = time.perf_counter()
        return self

    def take_out(self) -> None:
        self._hooks.remove()
        self._out_since = time.perf_counter()

    def put_back(self) -> None:
        absent = time.perf_counter() - self._out_since
        pace = self._pace
        assert pace._begun is not None and pace._dense_end is not None
        pace._begun, pace._dense_end = pace._begun + absent, pace._dense_end + absent
        self._flushed += absent
        self._hooks.install()
        if self.looking:
            self._hooks.arm()

    def flush_if_due(self) -> None:
        if time.perf_counter() - self._flushed > INTERVAL:
            self._flusher.flush()
            self._flushed = time.perf_counter()


def measure(name: str) -> Run:
    """One run of one workload in this process."""
    torch.set_num_threads(THREADS)
    workload = WORKLOADS[name]
    training = Training(workload)
    training.seconds(DENSE)  # warms the allocator and the caches up
    before = training.seconds(DENSE)
    with tempfile.TemporaryDirectory() as folder:
        watcher = Interruptible(record=Path(folder) / "run.db", budget=3.0).start()
        dense = training.seconds(DENSE) - before
        watcher.take_out()
        plain = watched = 0.0
        pairs = workload.steps // workload.block
        for i in range(pairs):
            if i % 2:
                watched += _watched_block(watcher, training, workload.block)
            plain += training.seconds(workload.block)
            if not i % 2:
                watched += _watched_block(watcher, training, workload.block)
        watcher.stop("end")
    steps = pairs * workload.block
    return Run(plain / steps, watched / steps, dense)


def _watched_block(watcher: Interruptible, training: Training, steps: int) -> float:
    watcher.put_back()
    began = time.perf_counter()
    training.seconds(steps)
    watcher.flush_if_due()
    seconds = time.perf_counter() - began
    watcher.take_out()
    return seconds


def start_up(watched: bool, script: Path) -> float:
    """Seconds that a script takes which only imports torch."""
    command = [sys.executable, *(["-m", "trimtab", "run", "--quiet"] if watched else []), str(script)]
    began = time.perf_counter()
    subprocess.run(command, env=_environment(), cwd=script.parent, check=True)
    return time.perf_counter() - began


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(THREADS)}


def _orders(pairs: int) -> list[tuple[bool, bool]]:
    return [(bool(i % 2), not i % 2) for i in range(pairs)]


def workload_row(name: str, runs: int) -> str:
    """A line of the table: without, beyond the first 30 steps, the first 30 steps."""
    command = [sys.executable, __file__, "--child", name]
    results: list[Run] = []
    for _ in range(runs):
        done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
        results.append(Run(*json.loads(done.stdout)))
    low, middle, high = statistics.quantiles([100 * (run.watched / run.plain - 1) for run in results], n=4)
    dense = statistics.median(1000 * run.dense for run in results)
    step = statistics.median(1000 * run.plain for run in results)
    return f"| {name} | {step:.2f} ms | {middle:+.1f} % ({low:+.1f} to {high:+.1f}) | {dense:+.0f} ms |"


def start_up_line(pairs: int) -> str:
    """The sentence on start-up."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text("import torch\n", encoding="utf-8")
        for watched in (True, False):
            start_up(watched, script)  # fills the page cache and writes the bytecode
        results = [{watched: start_up(watched, script) for watched in order} for order in _orders(pairs)]
    extra = statistics.median(pair[True] - pair[False] for pair in results)
    plain = statistics.median(pair[False] for pair in results)
    return f"Start-up of a script that only imports torch: {plain:.2f} s; under `trimtab run` {extra:+.2f} s."


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9, help="processes for each line")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="workloads by name; default: all, and start-up")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        json.dump(measure(args.child), sys.stdout)
        return
    print("| workload | step without | beyond the first 30 steps (quartiles) | first 30 steps, together |")
    print("|---|---|---|---|", flush=True)
    for name in args.only or WORKLOADS:
        print(workload_row(name, args.runs), flush=True)
    if not args.only:
        print(f"\n{start_up_line(args.runs)}")


if __name__ == "__main__":
    main()
