"""Run trimtab on every program and write what it found to docs/scoreboard.md."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic.launch import in_parallel, launch
from clinic.programs import KINDS, ROOT, Program, discover
from clinic.verify import METRICS, finite

BOARD = ROOT.parent / "docs" / "scoreboard.md"
ALARMS = ("warn", "fail")


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


def read_report(program: Program, report: dict[str, Any], unharmed: bool = True) -> Score:
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
    )


def examine(program: Program) -> Score:
    """Run one program under trimtab."""
    with tempfile.TemporaryDirectory(prefix="clinic-") as folder:
        out = Path(folder) / "report.json"
        options = ["--quiet", "--json", str(out), "--record", str(Path(folder) / "run.db")]
        done = launch([sys.executable, "-m", "trimtab", "run", *options, str(program.path)])
        if not out.exists():
            return Score(program, "error", (), (), (), 0, None, f"exit {done.returncode}: {done.stderr.strip()[-300:]}")
        unharmed = done.returncode == 0 and finite(done.metric) == stored(program)
        return read_report(program, json.loads(out.read_text(encoding="utf-8")), unharmed)


def stored(program: Program) -> float | None:
    """The metric of the first seed as verify found it, without trimtab."""
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    return metrics.get(program.kind, {}).get(program.path.stem, [None])[0]


def score(names: Sequence[str], workers: int, board: Path = BOARD) -> int:
    """Examine the programs, write the board (print it for a part of them), and return 1 if one is not right."""
    programs = discover(names)
    found = dict((p.name, s) for p, s in in_parallel(examine, programs, workers, "score"))
    scores = [found[p.name] for p in programs]
    text = render(scores)
    if names:
        print(text)
    else:
        board.parent.mkdir(exist_ok=True)
        board.write_text(text, encoding="utf-8")
        print("\n".join(totals(scores)))
        print(f"written: {board}")
    return 0 if all(s.right for s in scores) else 1


def totals(scores: Sequence[Score]) -> list[str]:
    """The counts that matter, one line each."""
    sick = [s for s in scores if s.program.kind == "sick"]
    lines: list[str] = []
    if sick:
        fair = [s for s in sick if s.first in (*s.program.expect, *s.program.accept)]
        anywhere = [s for s in sick if set(s.codes) & set(s.program.expect)]
        lines += [
            f"- sick programs found sick: {_share(s.status == 'sick' for s in sick)}",
            f"- a right root cause leads the report: {_share(s.right for s in sick)}",
            f"- a right root cause, or a code that is true of the run, leads: {len(fair)} of {len(sick)}",
            f"- a right root cause stands anywhere in the report: {len(anywhere)} of {len(sick)}",
        ]
    for kind in ("healthy", "cured"):
        group = [s for s in scores if s.program.kind == kind]
        if group:
            lines.append(f"- {kind} programs flagged: {_share(bool(s.codes) for s in group)}")
            lines += [f"  - {s.program.path.stem}: {', '.join(s.codes)}" for s in group if s.codes]
            lines.append(f"- {kind} programs not seen: {sum(s.status == 'unseen' for s in group)} of {len(group)}")
    errors = sum(bool(s.error) for s in scores)
    lines.append(f"- runs without a report: {errors} of {len(scores)}")
    harmed = [s.program.name for s in scores if not s.unharmed]
    lines.append(f"- runs whose metric differs from the one without trimtab: {len(harmed)} of {len(scores)}")
    lines += [f"  - {name}" for name in harmed]
    return lines


def render(scores: Sequence[Score]) -> str:
    """The scoreboard as Markdown."""
    parts = [
        "# Scoreboard",
        "",
        "Made by `python -m clinic score`. `clinic/programs.py` says what the programs are, `clinic/verify.py` how it",
        "is checked that the sick ones are sick. Codes stand in the order of the report: root causes bold, notes in",
        "parentheses.",
        "",
        "The limits of the rules that cite `clinic` were set on these same programs: the counts are in-sample, and say",
        "how well the rules fit them, not how often they are right on programs that nobody has seen.",
        "",
        *totals(scores),
    ]
    for kind in KINDS:
        group = [s for s in scores if s.program.kind == kind]
        if group:
            parts += ["", f"## {kind.capitalize()}", "", *_table(group)]
    return "\n".join(parts) + "\n"


def _table(scores: Sequence[Score]) -> list[str]:
    sick = scores[0].program.kind == "sick"
    head = ["program", "right", *(["expect", "accept"] if sick else []), "got", "steps", "overhead"]
    rows = [head, ["---"] * len(head)]
    for s in scores:
        wanted = [", ".join(s.program.expect), ", ".join(s.program.accept)] if sick else []
        overhead = "" if s.overhead is None else f"{s.overhead:.1%}"
        mark = "yes" if s.right else "**no**"
        rows.append([s.program.path.stem, mark, *wanted, _got(s), str(s.steps), overhead])
    return ["| " + " | ".join(row) + " |" for row in rows]


def _got(s: Score) -> str:
    if s.error:
        return "error: " + " ".join(s.error.replace("|", "/").split())
    alarms = [f"**{code}**" if code in s.roots else code for code in s.codes]
    return ", ".join([*alarms, *(f"({code})" for code in s.notes)]) or s.status


def _share(flags: Iterable[bool]) -> str:
    values = list(flags)
    return f"{sum(values)} of {len(values)}"
