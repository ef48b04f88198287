"""The diagnosis in the words of other tools: a text, and the facts of a run by name."""

from __future__ import annotations

import datetime
import io

from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.report import terminal
from trimtab.report.names import clean

COLUMNS = ("code", "name", "severity", "root", "where", "since_step", "message")


def report(diagnosis: Diagnosis, trace: Trace) -> str:
    """What a terminal shows."""
    text = io.StringIO()
    terminal.write(diagnosis, trace, text)
    return text.getvalue()


def facts(diagnosis: Diagnosis, trace: Trace) -> dict[str, str | int | float]:
    """Verdict, root causes and circumstances of a run."""
    known = {
        "verdict": diagnosis.status,
        "roots": ", ".join(f"{root.code} {root.name}" for root in diagnosis.roots),
        "script": diagnosis.script,
        "steps": diagnosis.steps,
        "ended": trace.meta.get("ended"),
        "overhead": diagnosis.overhead,
        "record": diagnosis.record,
        "trimtab": diagnosis.trimtab,
        "torch": trace.meta.get("torch"),
    }
    return {key: clean(v) if isinstance(v, str) else v for key, v in known.items() if v not in (None, "")}


def findings(diagnosis: Diagnosis) -> list[list[str | int | bool]]:
    """A row for each finding, root causes first, with the columns of COLUMNS."""
    return [
        [f.code, f.name, f.severity.label, f.root, clean(", ".join(f.where)), f.since_step, clean(f.message)]
        for f in diagnosis.findings
    ]


def started(trace: Trace) -> float:
    """When the run began, in seconds since 1970, 0 where it is unknown; a record has no time for each step."""
    try:
        return datetime.datetime.strptime(str(trace.meta.get("started")), "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
