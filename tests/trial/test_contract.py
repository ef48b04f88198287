"""Every remedy that can be enacted turns two sick programs of the clinic healthy, and leaves their cured twins well.

Minutes of training: `pytest -m contract` runs it, the test suite does not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic.healed import HEALS
from clinic.launch import launch
from clinic.programs import Program, discover
from clinic.repair import closed
from trimtab.core.recipe import Recipe
from trimtab.trial.enactors import enactable

METRICS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "clinic" / "metrics.json").read_text())

# One program or none: the clinic has no second that it heals alone.
RARE = {"average-weights", "enlarge-batch", "lower-momentum", "standardize-targets", "warm-up"}


def under(recipe: str, program: Program, folder: Path) -> tuple[dict[str, Any], float]:
    """The report and the metric of a program under a recipe."""
    out = folder / f"{program.kind}.json"
    command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--json", str(out), "--with", recipe]
    metric = launch([*command, str(program.path)]).metric
    return json.loads(out.read_text()), metric


def test_every_remedy_has_its_programs() -> None:
    programs: dict[str, set[str]] = {}
    for recipe, names in HEALS.items():
        programs.setdefault(Recipe.parse(recipe).changes[0].name, set()).update(names)
    assert {name for name, healed in programs.items() if len(healed) >= 2} == {*enactable()} - RARE


@pytest.mark.contract
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("recipe", "name"), [(recipe, name) for recipe, names in HEALS.items() for name in names])
def test_it_heals_and_does_no_harm(recipe: str, name: str, tmp_path: Path) -> None:
    sick, cured = (next(p for p in discover([f"{kind}/{name}"])) for kind in ("sick", "cured"))
    report, metric = under(recipe, sick, tmp_path)
    before, goal = METRICS["sick"][name][:1], METRICS["cured"][name][:1]
    assert report["status"] == "healthy", report["findings"][0]["message"]
    assert closed(before, goal, [metric]) >= 0.5
    _, twin = under(recipe, cured, tmp_path)
    assert closed(before, goal, [twin]) >= 0.8
