"""Run trimtab on one program and read what it said, and how early it would have said it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic.launch import launch
from clinic.programs import Program
from clinic.verify import METRICS, finite
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose
from trimtab.record import read

ALARMS = ("warn", "fail")
PREFIXES = (2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000)


@dataclass(frozen=True)
class Score:
    """What trimtab said about one program; `error` where it gave no report."""

    program: Program
    status: str
    codes: tuple[str, ...]  # warn and fail, in trimtab's order
    roots: tuple[str, ...]
    notes: tuple[str, ...]
    steps: int
    overhead: float | None
    error: str = ""
    unharmed: bool = True  # ended well, with the metric that verify stored without trimtab
    detected: int | None = None  # steps after which the run was first called sick

    @property
    def first(self) -> str | None:
        """The code that the report leads with."""
        return self.codes[0] if self.codes else None

    @property
    def right(self) -> bool:
        """As it should be: a right root cause first for a sick program, no alarm and not unseen for a healthy one."""
        if self.program.kind == "sick":
            return self.first in self.program.expect
        return self.status == "healthy" and not self.codes

    @property
    def rank(self) -> int | None:
        """Place of the first right root cause in the report, from 1; None where it does not stand there."""
        return next((place for place, code in enumerate(self.codes, 1) if code in self.program.expect), None)


def read_report(program: Program, report: dict[str, Any], unharmed: bool = True, detected: int | None = None) -> Score:
    """The score in trimtab's JSON report."""
    findings = report["findings"]
    alarms = [f for f in findings if f["severity"] in ALARMS]
    return Score(
        program,
        report["status"],
        tuple(f["code"] for f in alarms),
        tuple(f["code"] for f in alarms if f["root"]),
        tuple(f["code"] for f in findings if f["severity"] not in ALARMS),
        report["steps"],
        report["overhead"],
        unharmed=unharmed,
        detected=detected,
    )


def examine(program: Program, keep: Path | None = None) -> Score:
    """Run one program under trimtab; its record goes into the folder `keep`, where one is given."""
    with tempfile.TemporaryDirectory(prefix="clinic-") as folder:
        out = Path(folder) / "report.json"
        record = (keep or Path(folder)) / f"{program.kind}-{program.path.stem}.db"
        options = ["--quiet", "--json", str(out), "--record", str(record)]
        done = launch([sys.executable, "-m", "trimtab", "run", *options, str(program.path)])
        if not out.exists():
            return Score(program, "error", (), (), (), 0, None, f"exit {done.returncode}: {done.stderr.strip()[-300:]}")
        unharmed = done.returncode == 0 and finite(done.metric) == stored(program)
        report = json.loads(out.read_text(encoding="utf-8"))
        detected = detection(read(record)) if report["status"] == "sick" else None
        return read_report(program, report, unharmed, detected)


def detection(trace: Trace, prefixes: Sequence[int] = PREFIXES) -> int:
    """The fewest steps, of those in `prefixes`, after which the run is called sick and from then on always is."""
    tried = [n for n in prefixes if n < trace.steps]
    earliest = trace.steps
    for steps in reversed(tried):
        if diagnose(trace.until(steps)).status != "sick":
            break
        earliest = steps
    return earliest


def stored(program: Program) -> float | None:
    """The metric of the first seed as verify found it, without trimtab."""
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    return metrics.get(program.kind, {}).get(program.path.stem, [None])[0]
