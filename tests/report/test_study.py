from __future__ import annotations

import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from trimtab.core.recipe import Change, Recipe
from trimtab.core.signal import LOSS
from trimtab.core.study import Advice, Judgement, Run, Study, Trial
from trimtab.core.synthetic import synthetic_trace
from trimtab.report import page, terminal
from trimtab.report.blocks import Chart
from trimtab.report.study import compose_page, compose_study

HOSTILE = "<script>alert(1)</script>.py:31"


def run(recipe: Recipe, seed: int, end: float) -> Run:
    losses = np.geomspace(2.3, end, 60)
    return Run(recipe, seed, synthetic_trace({"loss": ["train.py:57"]}, {LOSS: losses}), 1.0)


@pytest.fixture
def study(sick) -> Study:
    """Two seeds; standardised inputs help, clipping does not."""
    helps, fails = Recipe((Change("standardize-inputs"),)), Recipe((Change("clip-by-norm", "1.0"),))
    advice = Advice(helps.changes[0], "Standardise the inputs.", "x = (x - mean) / sd", HOSTILE)
    better = Judgement("helped", "the loss is lower on all 2 seeds", 0.9, (0.9, 0.9), 2.2, 0.2)
    same = Judgement("no effect", "the loss is the same to 5 %", 0.0, (0.0,), 2.2, 2.2)
    runs = tuple(run(helps, seed, 0.2) for seed in (0, 1))
    return Study(
        sick.diagnosis,
        [replace(run(Recipe(), seed, 2.2), trace=sick.trace if seed == 0 else None) for seed in (0, 1)],
        {helps: Trial(helps, (advice,), better, 3, runs), fails: Trial(fails, (), same, 1)},
    )


def test_a_page_says_first_what_is_to_be_done(study: Study) -> None:
    text = page.of_document(compose_page(study, ["train.py"]), "trimtab fix")
    order = ['class="chain"', "helped: standardize-inputs", "<figure", '<section class="trials"', 'id="TT101"']
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.py:31" in text


def test_a_terminal_says_last_what_is_to_be_done(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show(compose_study(study, ["train.py"]), sys.stdout)
    shown = capsys.readouterr().out
    assert shown.index("no effect") < shown.index("helped: standardize-inputs")
    assert shown.rstrip().endswith("try it: trimtab run --with standardize-inputs train.py")


def test_the_curves_are_those_of_both_sides(study: Study) -> None:
    (chart,) = [block for block in compose_page(study, ["train.py"]).blocks if isinstance(block, Chart)]
    found = {(row["run"], row["seed"]) for row in chart.figure.rows}  # type: ignore[attr-defined]
    assert found == {("as it is", 0), ("treated", 0), ("treated", 1)}
    assert re.search(r"as it is it ends at [\d.]+, treated it ends at [\d.]+", chart.alt)


def test_a_study_without_a_run_says_why() -> None:
    text = page.of_document(compose_page(Study(ended="the time was up"), ["train.py"]), "trimtab fix")
    assert "UNSEEN the script as it is was not run to an end" in re.sub("<[^>]*>", "", text)
    assert "The time was up." in text
