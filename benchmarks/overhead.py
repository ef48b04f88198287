"""What watching costs: wall time of training with and without the watcher.

    python benchmarks/overhead.py [--pairs N] [--only NAME …]

Method. A run is a process of its own that trains a workload on 2 threads, with or without the watcher at its default
budget. Runs alternate in pairs, the order within a pair alternating too (A B, B A, …), so that a drift of the machine
falls on both sides. Within a run only time between steps counts: the first 30 steps, which the watcher looks at one by
one, apart from the rest. Beyond them the *mean* step is compared, not the median: the watcher looks at few steps, so a
median step would hide its whole cost. The ratio is taken within each pair, and the table shows the median of the
ratios with their range. The cost of recording in a background thread is part of the wall time. Start-up is measured
the same way, on whole processes.
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

DENSE = 30
THREADS = 2
HERE = Path(__file__).parent


class Run(NamedTuple):
    """Seconds of the first 30 steps together, and of a mean step after them."""

    dense: float
    step: float


def child(name: str, watched: bool) -> None:
    """Train one workload and print the Run as JSON."""
    import torch
    from workloads import WORKLOADS, train

    torch.set_num_threads(THREADS)
    times: list[float] = []
    workload = WORKLOADS[name]
    with tempfile.TemporaryDirectory() as folder:
        watcher = None
        if watched:
            from trimtab.watching import Watcher

            watcher = Watcher(record=Path(folder) / "run.db", budget=3.0)
            watcher.start()
        train(workload, workload.steps + 1, lambda: times.append(time.perf_counter()))
        if watcher is not None:
            watcher.stop("end")
    # The first step warms the allocator and the caches up in both kinds of run: time starts at its end.
    json.dump(Run(times[DENSE] - times[0], (times[-1] - times[DENSE]) / (len(times) - 1 - DENSE)), sys.stdout)


def measure(name: str, watched: bool) -> Run:
    """One run in a process of its own."""
    command = [sys.executable, __file__, "--child", name, *(["--watched"] if watched else [])]
    done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return Run(*json.loads(done.stdout))


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
    results = [{watched: measure(name, watched) for watched in order} for order in _orders(pairs)]
    ratios = [100 * (pair[True].step / pair[False].step - 1) for pair in results]
    dense = [1000 * (pair[True].dense - pair[False].dense) for pair in results]
    step = statistics.median(1000 * pair[False].step for pair in results)
    return (
        f"| {name} | {step:.2f} ms | {statistics.median(ratios):+.1f} % ({min(ratios):+.1f} to {max(ratios):+.1f}) "
        f"| {statistics.median(dense):+.0f} ms |"
    )


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
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs for each line")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="workloads by name; default: all, and start-up")
    parser.add_argument("--child", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--watched", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child, args.watched)
    from workloads import WORKLOADS

    print("| workload | step without | beyond the first 30 steps (range of the pairs) | first 30 steps, together |")
    print("|---|---|---|---|", flush=True)
    for name in args.only or WORKLOADS:
        print(workload_row(name, args.pairs), flush=True)
    if not args.only:
        print(f"\n{start_up_line(args.pairs)}")
    return None


if __name__ == "__main__":
    main()
