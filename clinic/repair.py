"""Let `trimtab fix` mend one program, and measure what its recipe does to the program's own metric.

Beside it a recipe drawn at random from the menu: what a remedy does that nobody chose.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from clinic.launch import launch
from clinic.programs import Program
from clinic.verify import SEEDS, finite
from trimtab.remedies import all_remedies
from trimtab.rules import all_rules
from trimtab.trial.enactors import enactable

TIMEOUT_S = 900
TRIAL_SEEDS = 2  # that must agree in a study here; three, the command's own default, take half as long again
ENOUGH = 0.9  # share of the gap that a recipe is to close

Metrics = Sequence[float | None]


@dataclass(frozen=True)
class Repair:
    """What `trimtab fix` recommends for a program, and the metrics under it, one for each of SEEDS.

    No recipe: it recommends none. `chance` is the recipe drawn at random, for sick programs alone.
    """

    recipe: str | None
    metrics: tuple[float | None, ...]
    chance: str | None
    chance_metrics: tuple[float | None, ...]
    error: str = ""


def repair(program: Program) -> Repair:
    """Study a program and train it anew under what is recommended, and under what chance recommends."""
    with tempfile.TemporaryDirectory(prefix="clinic-") as folder:
        out = Path(folder) / "study.json"
        command = [sys.executable, "-m", "trimtab", "fix", "--seeds", str(TRIAL_SEEDS), "--jobs", "2"]
        done = launch([*command, "--json", str(out), str(program.path)], timeout=TIMEOUT_S)
        if not out.exists():
            return Repair(None, (), None, (), f"exit {done.returncode}: {done.stderr.strip()[-300:]}")
        study: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    recipe = study["best"] and study["best"]["with"]
    chance = drawn(program) if program.kind == "sick" else None
    return Repair(recipe, _under(recipe, program), chance, _under(chance, program))


def drawn(program: Program) -> str:
    """A change of the menu with a parameter of its own choice; always the same for a program."""
    return Random(program.path.stem).choice(sorted(enactable()))


def repairable(program: Program) -> bool:
    """Whether the menu has a remedy for the cause that can be made in a running script, and the metric can tell.

    The cause is what the expected rules reveal; where they are of symptoms, what they suspect.
    """
    rules = [rule for rule in all_rules() if rule.code in program.expect]
    causes = {rule.reveals for rule in rules} - {None} or {cause for rule in rules for cause in rule.suspects}
    known = enactable()
    return not program.quiet and any(causes & {*r.treats} for r in all_remedies() if r.name in known)


def closed(sick: Metrics, cured: Metrics, fixed: Metrics) -> float:
    """Share of the gap between the sick and the cured metric that is closed, by means over the seeds, at most 1.

    A run that ends in NaN counts as one that has learned nothing: metric 0, or as far below a cured metric that is
    negative itself.
    """
    goal = _mean(cured, 0.0)
    nothing = min(0.0, 2 * goal)
    before, after = _mean(sick, nothing), _mean(fixed, nothing)
    return min((after - before) / (goal - before), 1.0) if goal > before else 1.0


def _mean(metrics: Metrics, nothing: float) -> float:
    values = [nothing if m is None else m for m in metrics]
    return sum(values) / len(values)


def _under(recipe: str | None, program: Program) -> tuple[float | None, ...]:
    if recipe is None:
        return ()
    command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--with", recipe, str(program.path)]
    return tuple(finite(launch(command, seed).metric) for seed in SEEDS)
