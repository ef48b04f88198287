"""Two runs side by side: what is said of them, in words, on a page and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from trimtab.core.signal import ACCURACY, DELTA_NORM, LEARNING_RATE, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.report import comparison_json, markup, page, terminal
from trimtab.report.blocks import Chart
from trimtab.report.comparison import compare, compose_contrast
from trimtab.report.contrast import contrast
from trimtab.rules.tt301_vanishing_gradient import VanishingGradient


def run(last: float, steps: int = 60, kind: str = "cross_entropy", layers: str = "net.{}", lr: float = 0.1) -> Trace:
    names = [layers.format(i) for i in range(4)]
    grown = np.full((steps, 4), 0.01)
    return synthetic_trace(
        {
            "loss": [Site("loss", "train.py:9", {"line": "train.py:9"})],
            "objective": [Site("objective", "at train.py:9", {"compares": kind, "line": "train.py:9"})],
            "optimizer": [Site("optimizer", "SGD", {"momentum": 0.9})],
            "layer": [Site("layer", n, {"op": "linear", "depth": i, "fan_in": 8}) for i, n in enumerate(names)],
            "parameter": [Site("parameter", f"{n}.weight", {"role": "weight", "numel": 64}) for n in names],
        },
        {
            LOSS: np.geomspace(2.3, last, steps),
            ACCURACY: np.full(steps, 0.5),
            LEARNING_RATE: np.full(steps, lr),
            DELTA_NORM: np.ones((steps, 4)),
            WEIGHT_RMS: grown * 10,
            UPDATE_RMS: grown * lr,
        },
        meta={"script": "train.py", "torch": "2.13.0", "path": "run.db"},
    )


def told(a: Trace, b: Trace) -> str:
    text = io.StringIO()
    terminal.show(compose_contrast(contrast(a, b), a, b, charts=False), text)
    return text.getvalue()


def test_what_differs_is_named_and_what_does_not_is_not() -> None:
    found = contrast(run(1.0), run(0.1, lr=0.01))
    assert found.setup == (("learning rate", "0.1", "0.01"),)
    pairs = {pair.name: pair for pair in found.pairs}
    assert pairs["loss at the end"].change == pytest.approx(-0.89, abs=0.02)
    assert pairs["update / weight"].change == pytest.approx(-0.9)
    assert pairs["gain M per layer"].change == 0
    rest = [pair.name for pair in found.pairs if not pair.name.startswith(("loss", "lowest"))]
    assert rest[0] == "update / weight"


def test_findings_are_gone_new_or_have_stayed() -> None:
    sick, healthy = VanishingGradient.sick(), VanishingGradient.healthy()
    cured = contrast(sick, healthy)
    assert "TT301" in {finding.code for finding in cured.gone} and cured.b.status == "healthy"
    broken = contrast(healthy, sick)
    assert {f.code for f in broken.new} == {f.code for f in cured.gone}
    same = contrast(sick, sick)
    assert not same.gone and not same.new and "TT301" in {f.code for f in same.stayed}


def test_losses_of_different_kinds_are_not_compared() -> None:
    found = contrast(run(1.0), run(0.1, kind="mse"))
    assert found.apart == "the losses differ in kind: cross_entropy and mse"
    losses = [pair for pair in found.pairs if "loss" in pair.name]
    assert losses and all(pair.change is None for pair in losses)
    assert "not compared" in told(run(1.0), run(0.1, kind="mse"))
    assert contrast(run(1.0), synthetic_trace({}, {})).apart == "B has no loss that was seen over some steps"


def test_runs_of_different_length_are_compared_at_equal_steps() -> None:
    pairs = {pair.name: pair for pair in contrast(run(0.1, 60), run(0.1, 30)).pairs}
    early = pairs["loss after 30 steps"]
    assert early.a is not None and early.b is not None and early.a > 3 * early.b


def test_layers_are_renamed_added_or_removed() -> None:
    assert ("layers renamed", "net.0, net.1 and 2 more", "body.0, body.1 and 2 more") in contrast(
        run(1.0), run(1.0, layers="body.{}")
    ).setup
    longer = run(1.0)
    longer = replace(longer, sites={**longer.sites, "layer": (*longer.of("layer"), Site("layer", "head"))})
    assert ("layers only here", "", "head") in contrast(run(1.0), longer).setup


def test_it_fits_a_terminal_and_opens_with_the_outcome() -> None:
    lines = told(VanishingGradient.sick(), run(0.1)).splitlines()
    assert lines[0].startswith("A is sick, B is healthy; the loss ends at ")
    assert max(map(len, lines)) <= 80
    assert "nan" not in "\n".join(lines).lower()


def test_the_page_has_both_losses_in_one_chart() -> None:
    document = compare(run(1.0), run(0.1, 30))
    (chart,) = (block for block in document.blocks if isinstance(block, Chart))
    assert [row["run"] for row in chart.figure.rows] == ["A", "B"]  # type: ignore[attr-defined]
    assert chart.figure.spec()["$schema"]
    assert "<h1>A and B are" in page.of_document(document, "two runs")


def test_names_of_a_hostile_record_are_text() -> None:
    hostile = run(1.0, layers="</script><img src=x>\x1b[31m{}")
    assert "<img" not in markup.body(compare(run(1.0), hostile))
    assert "\x1b" not in told(run(1.0), hostile)


TRACES: dict[str, Any] = {
    "nothing": lambda: synthetic_trace({}, {}),
    "broken": lambda: replace(run(1.0), series={**run(np.inf).series}),
    "zero": lambda: run(1e-300),
}


@pytest.mark.parametrize("make", TRACES.values(), ids=TRACES)
def test_any_two_runs_make_valid_json_and_text(make: Any) -> None:
    with np.errstate(all="ignore"):
        odd = make()
    for a, b in ((odd, run(1.0)), (run(1.0), odd), (odd, odd)):
        Draft202012Validator(comparison_json.SCHEMA).validate(json.loads(comparison_json.dumps(contrast(a, b))))
        assert told(a, b)
