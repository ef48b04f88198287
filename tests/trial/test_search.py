"""The rounds of a study, on runs that are made up: what a part of the training promises, the whole must keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trimtab.core.recipe import Recipe
from trimtab.core.signal import LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.study import Run, Study
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.trial import search
from trimtab.trial.child import Script
from trimtab.trial.runner import Runner

STEPS = 400
End = Callable[[Recipe, int, bool], float]  # the loss at the end: of a recipe, from a seed, over the whole or a part


def trace(steps: int, end: float, ratio: float) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    scale = np.full((steps, 2), 0.05)
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"], "optimizer": ["SGD"]},
        {UPDATE_RMS: ratio * scale, WEIGHT_RMS: scale, LOSS: np.geomspace(2.3, end, steps)},
    )


def conduct(monkeypatch: pytest.MonkeyPatch, end: End, seeds: int = 2) -> Study:
    """A study of a script whose steps are far too large, and whose loss under a recipe ends as `end` says."""

    def run(
        runner: Runner, script: Script, recipe: Recipe, seed: int, steps: int | None, limit: float | None = None
    ) -> Run:
        if not recipe:
            return Run(recipe, seed, trace(STEPS, 5.0, 0.4).until(steps or STEPS), 0.1)
        return Run(recipe, seed, trace(steps or STEPS, end(recipe, seed, steps is None), 0.01), 0.1)

    monkeypatch.setattr(search, "run", run)
    with Runner() as runner:
        limits = search.Limits(seeds=seeds, jobs=1)
        return search.Search(Script(("train.py",), Path()), limits, runner, lambda *_: None).conduct()


def test_where_the_most_promising_fail_over_the_whole_the_next_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(recipe: Recipe, seed: int, whole: bool) -> float:
        warms_up = [change.name for change in recipe.changes] == ["warm-up"]
        return 1.0 if warms_up else 30.0 if whole else 0.1

    best = conduct(monkeypatch, end).best
    assert best is not None and best.recipe.changes[0].name == "warm-up" and best.round == 3


def test_what_helped_over_a_part_alone_is_not_recommended(monkeypatch: pytest.MonkeyPatch) -> None:
    study = conduct(monkeypatch, lambda recipe, seed, whole: 30.0 if whole else 0.1)
    assert study.best is None
    assert {trial.round for trial in study.trials.values() if trial.runs} == {2}


def test_what_fresh_seeds_do_not_confirm_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(recipe: Recipe, seed: int, whole: bool) -> float:
        steady = [change.name for change in recipe.changes] == ["warm-up"]
        return 0.5 if steady else 30.0 if seed else 0.05

    best = conduct(monkeypatch, end).best
    assert best is None or (best.recipe.changes[0].name == "warm-up" and best.round == 3)


def test_one_seed_needs_no_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    best = conduct(monkeypatch, lambda recipe, seed, whole: 0.1, seeds=1).best
    assert best is not None and best.round == 2


def test_a_further_change_must_be_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    best = conduct(monkeypatch, lambda recipe, seed, whole: 0.5 if len(recipe.changes) == 1 else 0.45).best
    assert best is not None and len(best.recipe.changes) == 1
