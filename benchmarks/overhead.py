"""What watching costs: wall time of training with and without the watcher.

    python benchmarks/overhead.py [--pairs N] [--only NAME …]

Method. Each workload is one process that trains on 2 threads without end. Stretches of steps alternate: one without
the watcher, one with a watcher of its own at its default budget, whose first 30 steps (looked at one by one) are timed
apart; the order within a pair alternates too. So model, memory layout and machine are the same for both sides, and a
drift of the machine falls on both. Processes of their own for the two sides were tried first: they differ by 10 % for
reasons of memory layout alone. Beyond the first 30 steps the *mean* step of a stretch is compared, not the median: the
watcher looks at few steps, so a median step would hide its whole cost. The cost of recording in a background thread is
part of the wall time. The table shows the median over the pairs with the quartiles. Start-up is measured on whole
processes, in pairs.
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
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from workloads import Training

DENSE = 30
THREADS = 2
HERE = Path(__file__).parent


class Pair(NamedTuple):
    """Seconds of a mean step without and with the watcher, and what its first 30 steps cost more, together."""

    plain: float
    watched: float
    dense: float


def measure(name: str, pairs: int) -> list[Pair]:
    """Alternate stretches of one workload in this process."""
    import torch
    from workloads import WORKLOADS, Training

    torch.set_num_threads(THREADS)
    workload = WORKLOADS[name]
    training = Training(workload)
    training.seconds(DENSE)  # warms the allocator and the caches up
    with tempfile.TemporaryDirectory() as folder:
        return [_pair(training, workload.steps, bool(i % 2), Path(folder) / f"{i}.db") for i in range(pairs)]


def _pair(training: Training, steps: int, watched_first: bool, record: Path) -> Pair:
    from trimtab.watching import Watcher

    def watched() -> tuple[float, float]:
        watcher = Watcher(record=record, budget=3.0).start()
        dense = training.seconds(DENSE)
        step = training.seconds(steps) / steps
        watcher.stop("end")
        return dense, step

    if watched_first:
        (dense, step), plain = watched(), training.seconds(steps) / steps
    else:
        plain, (dense, step) = training.seconds(steps) / steps, watched()
    return Pair(plain, step, dense - DENSE * plain)


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


def workload_row(name: str, pairs: int) -> str:
    """A line of the table: without, beyond the first 30 steps, the first 30 steps."""
    command = [sys.executable, __file__, "--child", name, "--pairs", str(pairs)]
    done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
    results = [Pair(*values) for values in json.loads(done.stdout)]
    ratios = [100 * (pair.watched / pair.plain - 1) for pair in results]
    low, middle, high = statistics.quantiles(ratios, n=4)
    dense = statistics.median(1000 * pair.dense for pair in results)
    step = statistics.median(1000 * pair.plain for pair in results)
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
    parser.add_argument("--pairs", type=int, default=9, help="pairs of stretches for each line")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="workloads by name; default: all, and start-up")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        json.dump(measure(args.child, args.pairs), sys.stdout)
        return
    from workloads import WORKLOADS

    print("| workload | step without | beyond the first 30 steps (quartiles) | first 30 steps, together |")
    print("|---|---|---|---|", flush=True)
    for name in args.only or WORKLOADS:
        print(workload_row(name, args.pairs), flush=True)
    if not args.only:
        print(f"\n{start_up_line(args.pairs)}")


if __name__ == "__main__":
    main()
