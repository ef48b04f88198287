"""What holds for every rule, written once."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import (
    DELTA_NORM,
    GRAD_RMS,
    GRAD_USED_RMS,
    LOSS,
    SIGNALS,
    UPDATE_RMS,
    WEIGHT_DECAY,
    WEIGHT_RMS,
    Signal,
)
from trimtab.core.sources import SOURCES
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Series, Site, Trace
from trimtab.pipeline import diagnose
from trimtab.remedies import prescribe
from trimtab.rules import all_rules
from trimtab.rules.tt301_vanishing_gradient import VanishingGradient
from trimtab.rules.tt402_learning_rate_too_low import LearningRateTooLow as TooLow

RULES = all_rules()
CATALOGUE = {
    "TT101": "input-not-normalized",
    "TT102": "target-not-normalized",
    "TT103": "nonfinite-input",
    "TT104": "unshuffled-batches",
    "TT201": "bad-initialization",
    "TT202": "symmetric-initialization",
    "TT211": "saturated-activation",
    "TT212": "dead-relu",
    "TT213": "exploding-activation",
    "TT301": "vanishing-gradient",
    "TT302": "exploding-gradient",
    "TT303": "nonfinite-gradient",
    "TT304": "gradient-spikes",
    "TT305": "noisy-gradient",
    "TT306": "inconsistent-gradient-scale",
    "TT307": "no-gradient",
    "TT401": "learning-rate-too-high",
    "TT402": "learning-rate-too-low",
    "TT403": "plateau",
    "TT404": "unoptimized-parameters",
    "TT405": "accumulating-gradient",
    "TT406": "clipping-dominates",
    "TT407": "epsilon-dominates",
    "TT408": "excessive-weight-decay",
    "TT501": "batchnorm-small-batch",
    "TT502": "batchnorm-statistics-drift",
    "TT503": "wrong-mode",
    "TT601": "nonfinite-loss",
    "TT602": "diverging-loss",
    "TT603": "double-softmax",
    "TT604": "broadcast-loss",
    "TT901": "partial-coverage",
}
SCALED_BY_THE_LOSS = (LOSS, DELTA_NORM, GRAD_RMS, GRAD_USED_RMS, WEIGHT_DECAY)  # λ stands beside the gradient
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def test_the_rules_of_the_catalogue_are_there() -> None:
    assert {rule.code: rule.name for rule in RULES} == CATALOGUE


@each_rule
def test_sick_example_is_found_and_healthy_one_is_not(rule: Rule) -> None:
    found = rule.check(rule.sick())
    assert found and {f.code for f in found} == {rule.code} and {f.name for f in found} == {rule.name}
    assert rule.check(rule.healthy()) == []


@each_rule
def test_file_class_and_name_agree(rule: Rule) -> None:
    stem = Path(inspect.getfile(type(rule))).stem
    assert stem == f"{rule.code}_{rule.name}".lower().replace("-", "_")
    assert type(rule).__name__ == rule.name.title().replace("-", "")


@each_rule
def test_documentation_has_its_sections_and_known_sources(rule: Rule) -> None:
    text = inspect.getdoc(type(rule)) or ""
    sections = re.findall(r"^(What it measures|Why it matters|When it is wrong|Sources):", text, re.M)
    assert sections == ["What it measures", "Why it matters", "When it is wrong", "Sources"]
    cited = re.findall(r"\w+", text.rsplit("Sources:", 1)[1])
    assert cited and set(cited) <= set(SOURCES)
    assert {limit.source for limit in rule.limits.values()} <= set(SOURCES)
    assert all(signal.name in SIGNALS for signal in rule.needs)


@each_rule
def test_no_naked_threshold(rule: Rule) -> None:
    assert all(limit.why for limit in rule.limits.values())
    with pytest.raises(ValueError, match="bibliography"):
        Limit(1.0, "hearsay", "somebody said so")


@each_rule
def test_findings_are_plain_data_with_a_sentence(rule: Rule) -> None:
    for finding in rule.check(rule.sick()):
        json.dumps({"where": finding.where, "since": finding.since_step, **finding.evidence}, allow_nan=False)
        assert finding.message and "\n" not in finding.message and isinstance(finding.since_step, int)
        assert 0 <= finding.sureness <= 1
        if finding.severity > Severity.NOTE:
            assert finding.reveals or finding.causes


@each_rule
def test_every_sick_example_gets_a_remedy(rule: Rule) -> None:
    trace = rule.sick()
    diagnosis = diagnose(trace)
    found = [f for f in diagnosis.findings if f.code == rule.code]
    if found[0].severity > Severity.NOTE:
        assert diagnosis.status == "sick"
        root = diagnosis.findings[0]
        prescriptions = prescribe(root, trace)
        assert prescriptions and all(p.code.strip() for p in prescriptions)


@each_rule
def test_missing_signals_and_empty_runs_are_no_errors(rule: Rule) -> None:
    assert rule.check(Trace({}, {}, 0)) == []
    trace = rule.sick()
    for name in trace.series:
        rule.check(replace(trace, series={k: v for k, v in trace.series.items() if k != name}))
    rule.check(replace(trace, series={k: Series(v.steps[:0], v.values[:0]) for k, v in trace.series.items()}))
    rule.check(replace(trace, series={k: Series(v.steps[:1], v.values[:1]) for k, v in trace.series.items()}))


@each_rule
@pytest.mark.parametrize("fill", [0.0, np.nan, np.inf, -1.0, 1e-30, 1e30])
def test_extreme_values_are_no_errors(rule: Rule, fill: float) -> None:
    trace = rule.sick()
    for chosen in (*({name} for name in trace.series), set(trace.series)):
        series = {
            k: Series(v.steps, np.full_like(v.values, fill)) if k in chosen else v for k, v in trace.series.items()
        }
        for finding in rule.check(replace(trace, series=series)):
            assert finding.message


def scaled(trace: Trace, factor: float) -> Trace:
    """The same run with the loss multiplied by a factor, as an optimizer that is blind to scale would make it."""
    names = {signal.name for signal in SCALED_BY_THE_LOSS}
    series = {k: Series(v.steps, v.values * factor) if k in names else v for k, v in trace.series.items()}
    return replace(trace, series=series)


@each_rule
@settings(max_examples=20, deadline=None)
@given(exponent=st.integers(-6, 6))
def test_the_verdict_does_not_depend_on_the_scale_of_the_loss(rule: Rule, exponent: int) -> None:
    if rule.code == "TT302":  # judges how large the loss begins, on purpose: only of a run that has learned
        return
    for example in (rule.sick(), rule.healthy()):
        plain, other = rule.check(example), rule.check(scaled(example, 10.0**exponent))
        assert [(f.code, f.where, f.since_step) for f in plain] == [(f.code, f.where, f.since_step) for f in other]


REFERENCES = ("after", "layer", "weight", "input")


def renamed(trace: Trace) -> Trace:
    """The same run with other names, references between sites included."""
    known = {site.name for group in trace.sites.values() for site in group}
    known |= {
        str(site.attrs[key])
        for group in trace.sites.values()
        for site in group
        for key in REFERENCES
        if key in site.attrs
    }
    new = {name: f"other{i}" for i, name in enumerate(sorted(known))}

    def rename(site: Site) -> Site:
        attrs = {k: new[str(v)] if k in REFERENCES else v for k, v in site.attrs.items()}
        return Site(site.kind, new[site.name], attrs)

    return replace(trace, sites={kind: tuple(map(rename, group)) for kind, group in trace.sites.items()})


@each_rule
def test_the_verdict_does_not_depend_on_names(rule: Rule) -> None:
    for example in (rule.sick(), rule.healthy()):
        plain, other = rule.check(example), rule.check(renamed(example))
        assert [(f.code, f.since_step, f.severity) for f in plain] == [
            (f.code, f.since_step, f.severity) for f in other
        ]


@each_rule
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_verdict_does_not_depend_on_the_order_of_parameters(rule: Rule, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation
    for example in (rule.sick(), rule.healthy()):
        group = example.of("parameter")
        order = shuffled(len(group))
        series: Mapping[str, Series] = {
            k: Series(v.steps, v.values[:, order]) if per_parameter(SIGNALS[k]) else v
            for k, v in example.series.items()
        }
        sites = {**example.sites, "parameter": tuple(group[i] for i in order)} if group else example.sites
        other = rule.check(replace(example, sites=sites, series=series))
        plain = rule.check(example)
        assert [(f.code, f.since_step, f.severity) for f in plain] == [
            (f.code, f.since_step, f.severity) for f in other
        ]


def per_parameter(signal: Signal) -> bool:
    return signal.per == "parameter"


def test_a_rule_that_needs_more_steps_does_not_acquit_a_short_run() -> None:
    waiting = {rule.code: rule.least_steps for rule in RULES if rule.least_steps > 1}
    for code, least in (("TT401", 20), ("TT402", 20), ("TT602", 6)):
        assert waiting[code] == least
        trace = _stands_still(ratio=1.0 if code == "TT401" else 1e-6) if code != "TT602" else _doubles()
        assert found(code, trace.until(least + 10)) and not found(code, trace.until(least - 1))


def _stands_still(ratio: float) -> Trace:
    trace = TooLow.sick()
    updates = Series(trace.at(WEIGHT_RMS), ratio * trace[WEIGHT_RMS])
    return replace(trace, series=dict(trace.series) | {UPDATE_RMS.name: updates})


def _doubles() -> Trace:
    return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: 2.0 ** np.arange(60)})


def found(code: str, trace: Trace) -> list[Finding]:
    return next(rule for rule in RULES if rule.code == code).check(trace)


def test_a_gradient_that_is_zero_far_below_has_the_gain_of_the_layers_that_get_one() -> None:
    sites = [Site("layer", f"l{i}", {"op": "linear", "depth": i + 1, "order": i}) for i in range(2001)]
    norms = np.tile(np.concatenate([np.zeros(1991), 0.1 ** np.arange(9, -1, -1.0)]), (40, 1))
    finding = VanishingGradient().check(synthetic_trace({"layer": sites}, {DELTA_NORM: norms}))[0]
    assert "reaches l0, 2,000 layers below l2000" in finding.message
    assert finding.evidence["gain"] == pytest.approx(0.1)
