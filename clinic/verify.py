"""Check that sick programs do worse than their cured twins, and that healthy ones learn."""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from clinic.launch import Outcome, in_parallel, launch
from clinic.programs import ROOT, Program, discover

SEEDS = (0, 1, 2)
METRICS = ROOT / "metrics.json"

# Least distance between the worst cured and the best sick run, as a share of the larger mean: the two must not touch,
# and a reader of the metrics must see the fault without a test of significance.
LEAST_SHARE = 0.05

Metrics = dict[str, dict[str, list[float | None]]]


def finite(metric: float) -> float | None:
    """The metric, or None where it is NaN or infinite, which JSON cannot hold."""
    return metric if math.isfinite(metric) else None


def complaint_of_pair(sick: Sequence[float | None], cured: Sequence[float | None]) -> str | None:
    """Why these metrics do not show the fault, or None. None among the sick metrics is a run that ended in NaN."""
    good = [c for c in cured if c is not None]
    if len(good) < len(cured):
        return "a cured run gave no finite metric"
    bad = [s for s in sick if s is not None]
    if not bad:
        return None
    gap = min(good) - max(bad)
    needed = LEAST_SHARE * max(abs(statistics.fmean(good)), abs(statistics.fmean(bad)))
    return None if gap > needed else f"worst cured {min(good):.4g}, best sick {max(bad):.4g}, needed gap {needed:.2g}"


def complaint_of_healthy(metrics: Sequence[float | None], floor: float | None) -> str | None:
    """Why these metrics do not show a program that learns, or None."""
    if any(m is None for m in metrics):
        return "a run gave no finite metric"
    low = min(m for m in metrics if m is not None)
    return f"metric {low:.4g} is below the floor {floor:.4g}" if floor is not None and low < floor else None


def complaints(metrics: Mapping[str, Mapping[str, Sequence[float | None]]], programs: Sequence[Program]) -> list[str]:
    """One line for each program whose metrics do not show what it claims."""
    lines: list[str] = []
    for p in programs:
        if p.kind == "sick" and p.quiet:
            why = complaint_of_healthy(metrics["cured"][p.path.stem], None)
        elif p.kind == "sick":
            why = complaint_of_pair(metrics["sick"][p.path.stem], metrics["cured"][p.path.stem])
        elif p.kind == "healthy":
            why = complaint_of_healthy(metrics["healthy"][p.path.stem], p.floor)
        else:
            continue
        if why:
            lines.append(f"{p.name}: {why}")
    return lines


def verify(names: Sequence[str], workers: int, store: Path = METRICS) -> int:
    """Run programs and their twins over SEEDS, store the metrics, print the complaints; 1 if there are any."""
    programs = _with_twins(discover(names))
    jobs = [(p, seed) for p in programs for seed in SEEDS]
    metrics: Metrics = json.loads(store.read_text()) if names and store.exists() else {}
    slowest: dict[str, float] = {}
    failures: list[str] = []
    for (p, seed), done in in_parallel(_run, jobs, workers, "verify"):
        values = metrics.setdefault(p.kind, {}).setdefault(p.path.stem, [None] * len(SEEDS))
        values[SEEDS.index(seed)] = finite(done.metric)
        slowest[p.name] = max(done.seconds, slowest.get(p.name, 0.0))
        if done.returncode != 0:
            failures.append(f"{p.name} seed {seed}: exit {done.returncode}: {done.stderr.strip()[-200:]}")
    _write(metrics, store)
    found = failures + complaints(metrics, programs)
    for line in found:
        print(line)
    top = sorted(slowest.items(), key=lambda item: -item[1])[:5]
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in top), file=sys.stderr)
    print(f"{len(programs)} programs, {len(SEEDS)} seeds: {len(found)} complaints")
    return 1 if found else 0


def _write(metrics: Metrics, store: Path) -> None:
    """Sorted, and without programs that are gone, so that the file changes only where a metric does."""
    kept = {(p.kind, p.path.stem) for p in discover()}
    tidy = {
        kind: {stem: v for stem, v in sorted(metrics[kind].items()) if (kind, stem) in kept} for kind in sorted(metrics)
    }
    store.write_text(json.dumps(tidy, indent=1) + "\n", encoding="utf-8")


def _with_twins(programs: Sequence[Program]) -> list[Program]:
    chosen = {p.name for p in programs}
    chosen |= {f"{p.twin.parent.name}/{p.path.stem}" for p in programs if p.kind != "healthy"}
    return [p for p in discover() if p.name in chosen]


def _run(job: tuple[Program, int]) -> Outcome:
    program, seed = job
    return launch([sys.executable, str(program.path)], seed)
