"""The effective window, by what it claims of the weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.average import EMA, BoxAverage, alpha_of, horizon
from trimtab.methods.ema import weights

quick = settings(max_examples=50, deadline=None, derandomize=True)


@quick
@given(st.floats(1, 1e12))
def test_the_two_are_inverse_to_each_other(window):
    alpha = alpha_of(window)
    assert alpha_of(horizon(alpha)) == pytest.approx(alpha, rel=1e-12)
    assert horizon(alpha) == pytest.approx(window, rel=max(1e-12, 4e-16 * window))


def test_ends():
    assert (horizon(0), horizon(1), alpha_of(1), alpha_of(math.inf)) == (1, math.inf, 0, 1)


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.99])
def test_mean_age_of_the_weights(alpha):
    w = weights(alpha, 5000).numpy()
    assert (w * np.arange(5000)).sum() == pytest.approx(horizon(alpha) - 1)


def test_share_of_the_newest():
    assert weights(0.99, round(horizon(0.99))).sum().item() == pytest.approx(1 - 1 / math.e, abs=0.01)


@pytest.mark.parametrize("n", [3, 9, 25])
def test_the_box_of_the_same_age_has_the_same_noise(n):
    w = weights(alpha_of((n + 1) / 2), 5000).numpy()
    assert (w * np.arange(5000)).sum() == pytest.approx(np.arange(n).mean())
    assert (w**2).sum() == pytest.approx(n * (1 / n) ** 2)


def test_both_are_equally_late_on_a_ramp():
    ema, box = EMA(alpha_of(5)), BoxAverage(9)
    for o in range(500):
        for average in (ema, box):
            average.update(o)
    assert ema.value == pytest.approx(499 - 4) and box.value == pytest.approx(499 - 4)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_alpha_outside_its_range_is_refused(bad):
    with pytest.raises(ValueError, match="expected from 0 to 1"):
        horizon(bad)


@pytest.mark.parametrize("bad", [0.9, -1, math.nan])
def test_a_horizon_below_one_observation_is_refused(bad):
    with pytest.raises(ValueError, match="at least 1 observation"):
        alpha_of(bad)
