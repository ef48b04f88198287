"""The scoreboard as Markdown: counts that matter, which code led where, how early, and a row for each program."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from clinic.examine import Score
from clinic.peer import PeerScore
from clinic.programs import KINDS

HEAD = """# Scoreboard

Made by `python -m clinic score --peer`. `clinic/programs.py` says what the programs are, `clinic/verify.py` how it is
checked that the sick ones are sick. The limits of the rules that cite `clinic` were set with a view to one half of the
programs; the other half, chosen by a hash of the names, is *held out*.
"""


def render(scores: Sequence[Score], peers: Sequence[PeerScore] = ()) -> str:
    """The whole board."""
    halves = [
        (name, [s for s in scores if s.program.held_out == out])
        for name, out in (("held out", True), ("calibration", False))
    ]
    parts = [HEAD, *totals(scores)]
    for name, half in halves:
        if half:
            parts += ["", f"## The {name} half", "", *totals(half)]
    parts += _peer(scores, peers) + _early(scores) + _confusion(scores)
    for kind in KINDS:
        group = [s for s in scores if s.program.kind == kind]
        if group:
            parts += ["", f"## {kind.capitalize()}", ""]
            if kind == "sick":
                parts += ["Codes stand in the order of the report: root causes bold, notes in parentheses.", ""]
            parts += _table(group)
    return "\n".join(parts) + "\n"


def totals(scores: Sequence[Score]) -> list[str]:
    """The counts that matter, one line each."""
    sick = [s for s in scores if s.program.kind == "sick"]
    lines: list[str] = []
    if sick:
        fair = [s for s in sick if s.first in (*s.program.expect, *s.program.accept)]
        ranks = [s.rank for s in sick if s.rank is not None]
        lines += [
            f"- sick programs found sick: {_share(s.status == 'sick' for s in sick)}",
            f"- a right root cause leads the report: {_share(s.right for s in sick)}",
            f"- a right root cause, or a code that is true of the run, leads: {len(fair)} of {len(sick)}",
            f"- a right root cause stands anywhere in the report: {len(ranks)} of {len(sick)}",
        ]
        if ranks:
            lines.append(f"- place of the right root cause, where it stands: mean {statistics.fmean(ranks):.2f}")
    for kind in ("healthy", "cured"):
        group = [s for s in scores if s.program.kind == kind]
        if group:
            lines += _alarms(kind, group)
    errors = sum(bool(s.error) for s in scores)
    lines.append(f"- runs without a report: {errors} of {len(scores)}")
    harmed = [s.program.name for s in scores if not s.unharmed]
    lines.append(f"- runs whose metric differs from the one without trimtab: {len(harmed)} of {len(scores)}")
    return lines + [f"    - {name}" for name in harmed]


def _alarms(kind: str, group: Sequence[Score]) -> list[str]:
    flagged = [s for s in group if s.codes]
    steps = sum(s.steps for s in group)
    lines = [f"- {kind} programs flagged: {len(flagged)} of {len(group)}"]
    lines += [f"    - {s.program.path.stem}: {', '.join(s.codes)}" for s in flagged]
    if steps:
        rate = 1000 * sum(len(s.codes) for s in group) / steps
        lines.append(f"- false alarms on {kind} programs per 1,000 steps: {rate:.2f}")
    return [*lines, f"- {kind} programs not seen: {sum(s.status == 'unseen' for s in group)} of {len(group)}"]


def _peer(scores: Sequence[Score], peers: Sequence[PeerScore]) -> list[str]:
    """Both tools over the same programs, by the same counts."""
    if not peers:
        return []
    rows = [["", "trimtab", "torchmortem"], ["---"] * 3]
    for kind in KINDS:
        ours = [s for s in scores if s.program.kind == kind]
        theirs = [p for p in peers if p.program.kind == kind]
        rows.append(
            [
                f"{kind} programs flagged",
                _share(bool(s.codes) for s in ours),
                _share(bool(p.categories) for p in theirs),
            ]
        )
        if kind == "sick":
            rows.append(["… a right cause first", _share(s.right for s in ours), _share(p.right for p in theirs)])
    sick = [
        [len(s.codes) for s in scores if s.program.kind == "sick"],
        [len(p.categories) for p in peers if p.program.kind == "sick"],
    ]
    rows.append(["findings in a sick run, median", *(f"{statistics.median(n):g}" for n in sick)])
    rows.append(
        ["programs it could not watch", _share(bool(s.error) for s in scores), _share(bool(p.error) for p in peers)]
    )
    note = (
        "torchmortem 0.1.1, given model, optimizer and losses as its README asks (`clinic/peer.py`); its warnings and "
        "critical findings count, and its first one is right if its category can mean an expected code."
    )
    return ["", "## Beside a peer", "", note, "", *_lines(rows)]


def _early(scores: Sequence[Score]) -> list[str]:
    found = sorted(s.detected for s in scores if s.program.kind == "sick" and s.detected is not None)
    if not found:
        return []
    within = ", ".join(f"{sum(n <= steps for n in found)} within {steps}" for steps in (20, 50, 100, 200))
    overheads = [s.overhead for s in scores if s.overhead is not None]
    return [
        "",
        "## How early, and at what cost",
        "",
        f"Steps after which a sick run is called sick and stays so: median {statistics.median(found):g} of "
        f"{len(found)} runs; {within}.",
        f"Overhead of the watcher, by its own clock, on these short runs: median {statistics.median(overheads):.1%}.",
    ]


def _confusion(scores: Sequence[Score]) -> list[str]:
    """For each code that is expected: how often, and what led instead."""
    sick = [s for s in scores if s.program.kind == "sick"]
    if not sick:
        return []
    rows = [["expected", "programs", "led by it", "led by another"], ["---"] * 4]
    for code in sorted({c for s in sick for c in s.program.expect[:1]}):
        group = [s for s in sick if s.program.expect[0] == code]
        others = Counter(s.first or s.status for s in group if not s.right)
        told = ", ".join(f"{c} {n}" for c, n in others.most_common())
        rows.append([code, str(len(group)), str(sum(s.right for s in group)), told])
    note = "A program that expects several codes stands under the first, and any of them is right."
    return ["", "## By rule", "", note, "", *_lines(rows)]


def _table(scores: Sequence[Score]) -> list[str]:
    sick = scores[0].program.kind == "sick"
    head = [
        "program",
        "half",
        "right",
        *(["expect", "accept"] if sick else []),
        "got",
        "steps",
        *(["found after"] if sick else []),
        "overhead",
    ]
    rows = [head, ["---"] * len(head)]
    for s in scores:
        wanted = [", ".join(s.program.expect), ", ".join(s.program.accept)] if sick else []
        overhead = "" if s.overhead is None else f"{s.overhead:.1%}"
        mark, half = "yes" if s.right else "**no**", "held out" if s.program.held_out else ""
        found = ["" if s.detected is None else str(s.detected)] if sick else []
        rows.append([s.program.path.stem, half, mark, *wanted, _got(s), str(s.steps), *found, overhead])
    return _lines(rows)


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in rows]


def _got(s: Score) -> str:
    if s.error:
        return "error: " + " ".join(s.error.replace("|", "/").split())
    alarms = [f"**{code}**" if code in s.roots else code for code in s.codes]
    return ", ".join([*alarms, *(f"({code})" for code in s.notes)]) or s.status


def _share(flags: Iterable[bool]) -> str:
    values = list(flags)
    return f"{sum(values)} of {len(values)}"
