"""EMA, running mean and their gains against the formulas, computed apart in NumPy or with exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.average import EMA, RunningMean
from trimtab.methods import ema as textbook

quick = settings(max_examples=25, deadline=None, derandomize=True)
series = st.lists(st.floats(-1, 1), min_size=1, max_size=60)
scales = st.sampled_from([1e-20, 1e-3, 1.0, 1e4, 1e20])


def textbook_ema(observations, alpha):
    """`s_t` from 0, step by step."""
    s, averages = 0.0, []
    for o in observations:
        s = (1 - alpha) * o + alpha * s
        averages.append(s)
    return np.array(averages)


@quick
@given(series, st.floats(0.001, 0.9999), scales)
def test_corrected_value_is_s_over_what_has_been_seen(values, alpha, scale):
    o = np.array(values) * scale
    seen = 1 - alpha ** np.arange(1, len(o) + 1)
    average = EMA(alpha)
    got = [average.update(x) for x in o]
    np.testing.assert_allclose(got, textbook_ema(o, alpha) / seen, rtol=1e-9, atol=1e-9 * scale)


@quick
@given(series, st.floats(0, 1), scales)
def test_without_correction_it_starts_from_zero(values, alpha, scale):
    o = np.array(values) * scale
    average = EMA(alpha, bias_correction=False)
    got = [average.update(x) for x in o]
    np.testing.assert_allclose(got, textbook_ema(o, alpha), rtol=1e-12, atol=1e-14 * scale)


@quick
@given(series, st.floats(0.05, 1))
def test_warmup_equals_the_textbook(values, alpha):
    o = torch.tensor(values, dtype=torch.float64)
    alphas = textbook.warmup(alpha, len(o))
    average, plain = EMA(alpha, warmup=True), EMA(alpha, warmup=True, bias_correction=False)
    s = textbook.ema(o, alphas)
    np.testing.assert_allclose([plain.update(x) for x in values], s, atol=1e-13)
    np.testing.assert_allclose([average.update(x) for x in values], textbook.corrected(s, alphas), atol=1e-13)


def test_start_from_the_first_observation():
    average = EMA(0.9, start="first")
    assert [average.update(x) for x in (5.0, 6.0)] == [5.0, pytest.approx(0.9 * 5 + 0.1 * 6)]


def test_first_corrected_value_is_the_observation_exactly():
    for alpha in (0.0, 0.3, 0.9, 0.999999, 1 - 2**-53, 1.0):
        assert EMA(alpha).update(math.pi) == math.pi
        assert EMA(alpha, warmup=True).update(math.pi) == math.pi


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9, 0.999, 1 - 1e-9, 1 - 1e-14])
def test_gain_is_right_to_rounding_at_any_alpha(alpha):
    exact = Fraction(alpha)
    for t in (1, 2, 3, 10, 100):
        expected = (1 - exact) / (1 - exact**t)
        assert EMA(alpha).gain(t) == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.5, 0.9, 0.9999, 1.0])
def test_warmup_gain_is_right_to_rounding(alpha):
    product = Fraction(1)
    for t in range(1, 150):
        kept = min(Fraction(alpha), Fraction(t, t + 9))
        product *= kept
        assert EMA(alpha, warmup=True).gain(t) == pytest.approx(float((1 - kept) / (1 - product)), rel=1e-13)


def test_gain_long_after_the_start_is_one_minus_alpha():
    assert EMA(0.9).gain(10**9) == pytest.approx(0.1)
    assert EMA(0.999, warmup=True).gain(10**9) == pytest.approx(0.001)


def test_alpha_0_keeps_the_last_observation():
    for average in (EMA(0.0), EMA(0.0, warmup=True), EMA(0, bias_correction=False)):
        assert [average.update(x) for x in (3.0, -7.0, 0.1, 1e20, 1.0)] == [3.0, -7.0, 0.1, 1e20, 1.0]
        assert math.isnan(average.update(math.nan)) and average.update(2.0) == 2.0


def test_alpha_0_keeps_a_copy_of_a_tensor_and_its_structure():
    average, observation = EMA(0.0), torch.tensor([1.0])
    average.update(torch.tensor([1e20]))
    kept = average.update(observation)
    observation.fill_(5.0)
    assert kept.item() == 1.0
    with pytest.raises(ValueError, match="structure"):
        average.update(1.0)


def test_alpha_1_is_the_running_mean_when_corrected_and_0_when_not():
    observations = [3.0, -7.0, 0.5]
    average, mean, zero = EMA(1.0), RunningMean(), EMA(1.0, bias_correction=False)
    assert [average.update(x) for x in observations] == [mean.update(x) for x in observations]
    assert [zero.update(x) for x in observations] == [0, 0, 0]


def test_alpha_near_1_tends_to_the_running_mean():
    assert [EMA(1 - 1e-15).gain(t) for t in (1, 2, 10)] == pytest.approx([1, 1 / 2, 1 / 10])


@quick
@given(series, scales)
def test_running_mean(values, scale):
    o = np.array(values) * scale
    mean = RunningMean()
    got = [mean.update(x) for x in o]
    np.testing.assert_allclose(got, np.cumsum(o) / np.arange(1, len(o) + 1), rtol=1e-12, atol=1e-14 * scale)


def test_running_mean_far_from_zero_keeps_the_small_part():
    mean = RunningMean()
    for i in range(10_000):
        mean.update(1e8 + (-1) ** i)
    assert mean.value == pytest.approx(1e8, abs=1e-6)


def test_the_bias_that_correction_removes():
    plain = EMA(0.9, bias_correction=False)
    assert plain.update(1.0) == pytest.approx(0.1)
    assert EMA(0.9).update(1.0) == 1.0


def test_a_nan_stays_visible():
    average = EMA(0.9)
    for o in (1.0, math.nan, 1.0):
        average.update(o)
    assert math.isnan(average.value)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan, math.inf])
def test_alpha_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match="expected from 0 to 1"):
        EMA(alpha)


def test_bad_start_and_bad_count_are_refused():
    with pytest.raises(ValueError, match='"zero" or "first"'):
        EMA(0.9, start="last")  # type: ignore[arg-type]
    for average in (EMA(0.9), RunningMean()):
        with pytest.raises(ValueError, match="1 for the first"):
            average.gain(0)


@pytest.mark.parametrize("warmup", [False, True])
@pytest.mark.parametrize("start", ["zero", "first"])
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9, 0.999, 1 - 1e-12, 1.0])
def test_the_gain_on_a_device_is_that_on_the_host(alpha, corrected, start, warmup):
    ema = EMA(alpha, bias_correction=corrected, start=start, warmup=warmup)
    for t in [*range(1, 40), 1000, 10**6]:
        on_device = ema.device_gain(torch.tensor(t, dtype=torch.float64))
        assert on_device.item() == pytest.approx(ema.gain(t), rel=1e-9, abs=1e-15)
    assert RunningMean().device_gain(torch.tensor(4.0, dtype=torch.float64)) == RunningMean().gain(4)
