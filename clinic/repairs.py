"""Let `trimtab fix` mend the programs, store what came of it, and tell it in the last section of the scoreboard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clinic.launch import in_parallel
from clinic.programs import ROOT, Program, discover
from clinic.repair import ENOUGH, TRIAL_SEEDS, Repair, closed, repair, repairable
from clinic.verify import METRICS
from trimtab.core.recipe import Recipe
from trimtab.trial.enactors import enactable

BOARD = ROOT.parent / "docs" / "scoreboard.md"
REPAIRS = ROOT / "repairs.json"
TITLE = "\n## Remedies\n"
NOTE = f"""Made by `python -m clinic fix`, for the programs of the table: `trimtab fix --seeds {TRIAL_SEEDS}` studies a
program, and the recipe that it recommends is then trained from the three seeds of the metrics. A gap is closed by the
share that the mean metric moves from the sick program's to that of its twin, which was cured by hand; where nothing is
recommended it stays. *Repairable* are the faults for whose cause the menu has a remedy that can be made in a running
script. *Chance* is one change drawn at random from the menu.
"""


def fix(names: Sequence[str], workers: int, store: Path = REPAIRS, board: Path = BOARD) -> int:
    """Mend the sick and the healthy programs, or those named; 1 if a healthy one was given a recipe.

    What is known of others stays. Each is stored as it ends, so that an interrupted run is not lost.
    """
    programs = [p for p in discover(names) if p.kind != "cured"]
    known = _read(store)
    for program, found in in_parallel(repair, programs, workers, "fix"):
        known[program.name] = found
        _write(known, store)
        print(f"{program.name}: {found.recipe or found.error or 'none'}", flush=True)
    text = board.read_text(encoding="utf-8").partition(TITLE)[0] if board.exists() else ""
    board.write_text(text + section(store), encoding="utf-8")
    return int(any(known[p.name].recipe for p in programs if p.kind == "healthy"))


def section(store: Path = REPAIRS) -> str:
    """The section on remedies; empty where none was tried."""
    known = _read(store)
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    pairs = [(p, known[p.name]) for p in discover() if p.name in known]
    sick = [
        Row(p, r, metrics["sick"][p.path.stem], metrics["cured"][p.path.stem]) for p, r in pairs if p.kind == "sick"
    ]
    healthy = [(p, r) for p, r in pairs if p.kind == "healthy"]
    if not pairs:
        return ""
    given = [f"{p.path.stem}: {r.recipe}" for p, r in healthy if r.recipe]
    lines = [TITLE, NOTE, *_counts("all", sick), *_counts("held out", [row for row in sick if row.program.held_out])]
    lines.append(f"- healthy programs that were recommended anything: {len(given)} of {len(healthy)}")
    lines += [f"    - {line}" for line in given]
    return "\n".join([*lines, "", *_by_cause(sick), "", *_by_remedy(sick), "", *_table(sick)]) + "\n"


class Row:
    """A sick program with what the recipe and chance made of it."""

    def __init__(
        self, program: Program, found: Repair, sick: Sequence[float | None], cured: Sequence[float | None]
    ) -> None:
        self.program, self.found, self.sick, self.cured = program, found, sick, cured
        self.repairable = repairable(program)
        # Two figures after the point, so that a count of shares is that of the table.
        self.share, self.by_chance = (
            round(closed(sick, cured, m or sick), 2) for m in (found.metrics, found.chance_metrics)
        )


def _counts(name: str, rows: Sequence[Row]) -> list[str]:
    able = [row for row in rows if row.repairable]
    mended, lucky = (sum(share >= ENOUGH for share in shares) for shares in _shares(able))
    return [
        f"- {name}: of {len(rows)} sick programs {len(able)} are repairable; a recipe is recommended for "
        f"{sum(row.found.recipe is not None for row in able)} of these, and closes 90 % of the gap in **{mended}** "
        f"({mended / max(len(able), 1):.0%}); chance in {lucky}"
    ]


def _shares(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row.share for row in rows], [row.by_chance for row in rows]


def _by_cause(rows: Sequence[Row]) -> list[str]:
    lines = ["| expected | repairable | gap closed, mean | ≥ 90 % | chance, mean | chance ≥ 90 % |", "|---" * 6 + "|"]
    able = [row for row in rows if row.repairable]
    for code in sorted({row.program.expect[0] for row in able}):
        ours, chance = _shares([row for row in able if row.program.expect[0] == code])
        cells = [f"{sum(max(s, -1) for s in x) / len(x):.2f} | {sum(s >= ENOUGH for s in x)}" for x in (ours, chance)]
        lines.append(f"| {code} | {len(ours)} | {' | '.join(cells)} |")
    return lines


def _by_remedy(rows: Sequence[Row]) -> list[str]:
    """For each remedy that can be enacted: how often it is part of what is recommended, and of what mends."""
    lines = ["| remedy | recommended in | closes ≥ 90 % in |", "|---" * 3 + "|"]
    for name in sorted(enactable()):
        part = [row for row in rows if row.found.recipe and name in _names(row.found.recipe)]
        lines.append(f"| {name} | {len(part)} | {sum(row.share >= ENOUGH for row in part)} |")
    return lines


def _names(recipe: str) -> set[str]:
    return {change.name for change in Recipe.parse(recipe).changes}


def _table(rows: Sequence[Row]) -> list[str]:
    lines = ["| program | half | sick | cured | fixed | closed | recipe | chance | closed |", "|---" * 9 + "|"]
    for row in rows:
        p, r = row.program, row.found
        half = "held out" if p.held_out else ""
        told = r.recipe or r.error.replace("|", "/").replace("\n", " ") or "none"
        metrics = " | ".join(map(_mean, (row.sick, row.cured, r.metrics)))
        share = f"{row.share:.2f}" if row.repairable else f"({row.share:.2f})"
        lines.append(f"| {p.path.stem} | {half} | {metrics} | {share} | {told} | {r.chance} | {row.by_chance:.2f} |")
    return ["Shares of programs that are not repairable by a trial stand in parentheses.", "", *lines]


def _mean(metrics: Sequence[float | None]) -> str:
    values = [m for m in metrics if m is not None]
    return f"{sum(values) / len(values):.3f}" if values else "nan" if metrics else ""


def _read(store: Path) -> dict[str, Repair]:
    stored: Mapping[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    return {
        name: Repair(**{k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()})
        for name, kept in stored.items()
    }


def _write(known: Mapping[str, Repair], store: Path) -> None:
    """Sorted, and without programs that are gone."""
    names = {p.name for p in discover()}
    kept = {name: asdict(found) for name, found in sorted(known.items()) if name in names}
    store.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
