"""Curves for dashboards: named, thinned, and honest about what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import GRAD_RMS, LOSS, SIGNALS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.export.groups import group_of
from trimtab.export.scalars import POINTS, curves
from trimtab.export.signals import chosen
from trimtab.export.sites import distinct


def wide(layers: int, steps: int) -> Trace:
    names = [Site("parameter", f"blocks.{i}.weight", {"role": "weight"}) for i in range(layers)]
    values = np.random.default_rng(0).random((steps, layers)) + 0.5
    values[steps // 2, 0] = 100.0
    return synthetic_trace({"parameter": names, "loss": ["a.py:1"]}, {GRAD_RMS: values, LOSS: values[:, 0]})


def test_every_curve_has_heading_signal_and_place(trace: Trace) -> None:
    made = curves(trace, chosen(trace, []))
    tags = [curve.tag for curve in made.items]
    assert len(set(tags)) == len(tags)
    assert {"loss/loss/train.py:9", "gradient/grad_rms/net.0.weight", "optimizer/learning_rate/SGD#2"} <= set(tags)
    assert made.left_out == ()
    assert all(group_of(signal) for signal in SIGNALS.values())


def test_the_update_ratio_is_that_of_weights_that_are_not_zero(trace: Trace) -> None:
    made = {curve.tag: curve for curve in curves(trace, [UPDATE_RMS, WEIGHT_RMS]).items}
    ratios = [curve for tag, curve in made.items() if tag.startswith("weight/update_ratio/")]
    assert [ratio.values.tolist() for ratio in ratios] == [pytest.approx([0.002] * 4)]


def test_many_places_are_summed_up_and_some_are_kept() -> None:
    made = curves(wide(200, 20), [GRAD_RMS, LOSS], sites=10)
    tags = [curve.tag for curve in made.items]
    assert len(tags) == 10 + 3 + 1
    assert {"gradient/grad_rms/blocks.0.weight", "gradient/grad_rms/blocks.199.weight"} <= set(tags)
    most = next(curve for curve in made.items if curve.tag == "gradient/grad_rms/most of all")
    assert most.values.max() == 100.0
    assert made.left_out == ("gradient/grad_rms of 190 of 200 sites",)


def test_long_curves_keep_their_peaks() -> None:
    made = curves(wide(1, 50_000), [GRAD_RMS])
    (curve,) = made.items
    assert len(curve.steps) <= POINTS
    assert curve.values.max() == 100.0
    assert list(curve.steps) == sorted(set(curve.steps.tolist()))
    assert len(made.left_out) == 1 and len(made) == len(curve.steps)


def test_a_signal_is_named_as_it_is_or_refused(trace: Trace) -> None:
    assert [signal.name for signal in chosen(trace, ["loss", "grad_rms"])] == ["loss", "grad_rms"]
    with pytest.raises(TrimtabError, match="did you mean grad_rms"):
        chosen(trace, ["gradrms"])
    with pytest.raises(TrimtabError, match="none of time_gain"):
        chosen(trace, ["time_gain"])
    with pytest.raises(TrimtabError, match="nothing to export"):
        chosen(synthetic_trace({}, {}), [])


def test_names_are_told_apart() -> None:
    assert distinct(["a", "a", "a#2", "a", "b"]) == ["a", "a#2", "a#2#2", "a#3", "b"]
