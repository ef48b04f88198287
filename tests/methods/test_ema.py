"""The textbook averages against their definitions in NumPy, and the worked examples of the lecture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.methods import ema

quick = settings(max_examples=25, deadline=None, derandomize=True)
series = st.lists(st.floats(-1, 1), min_size=1, max_size=40)
scales = st.sampled_from([1e-20, 1e-3, 1.0, 1e4, 1e20])


def tensor(values, scale=1.0):
    return torch.tensor(values, dtype=torch.float64) * scale


def test_weights_of_the_lecture():
    np.testing.assert_allclose(ema.weights(0.9, 4).numpy(), [0.1, 0.09, 0.081, 0.0729], rtol=1e-14)


def test_the_hundredth_observation_counts_for_nothing():
    assert ema.weights(0.9, 101)[100].item() == pytest.approx(0.1 * 0.9**100) and 0.9**100 < 1e-4


def test_weights_sum_to_what_has_been_seen():
    assert ema.weights(0.9, 30).sum().item() == pytest.approx(1 - 0.9**30, rel=1e-14)


@quick
@given(series, st.floats(0, 1), scales)
def test_ema_is_the_weighted_sum(values, alpha, scale):
    o = np.array(values) * scale
    expected = [sum((1 - alpha) * alpha**j * o[t - j] for j in range(t + 1)) for t in range(len(o))]
    np.testing.assert_allclose(ema.ema(tensor(values, scale), alpha).numpy(), expected, rtol=1e-12, atol=1e-15 * scale)


@quick
@given(st.floats(-1e20, 1e20), st.floats(0, 0.999), st.integers(1, 50))
def test_corrected_of_a_constant_is_the_constant(constant, alpha, steps):
    o = torch.full((steps,), constant, dtype=torch.float64)
    np.testing.assert_allclose(ema.corrected(ema.ema(o, alpha), alpha).numpy(), constant, rtol=1e-11)


@quick
@given(series, scales)
def test_running_mean(values, scale):
    o = np.array(values) * scale
    expected = np.cumsum(o) / np.arange(1, len(o) + 1)
    np.testing.assert_allclose(
        ema.running_mean(tensor(values, scale)).numpy(), expected, rtol=1e-12, atol=1e-15 * scale
    )


@quick
@given(series, st.integers(1, 12))
def test_box_average_is_a_convolution_once_the_box_is_full(values, n):
    full = np.convolve(values, np.ones(n) / n, mode="valid") if len(values) >= n else np.empty(0)
    box = ema.box_average(tensor(values), n).numpy()
    np.testing.assert_allclose(box[n - 1 :], full, atol=1e-14)
    np.testing.assert_allclose(box[: n - 1], ema.running_mean(tensor(values)).numpy()[: n - 1], atol=1e-14)


def test_alpha_may_change_from_step_to_step():
    o, alphas = tensor([1.0, 2.0, 3.0]), tensor([0.1, 0.5, 0.9])
    s = (1 - 0.1) * 1.0
    s = (1 - 0.5) * 2.0 + 0.5 * s
    s = (1 - 0.9) * 3.0 + 0.9 * s
    averages = ema.ema(o, alphas)
    assert averages[-1].item() == pytest.approx(s)
    assert ema.corrected(averages, alphas)[-1].item() == pytest.approx(s / (1 - 0.1 * 0.5 * 0.9))


def test_observations_may_have_any_shape():
    o = torch.arange(24, dtype=torch.float64).reshape(4, 3, 2)
    whole = ema.corrected(ema.ema(o, 0.7), 0.7)
    part = ema.corrected(ema.ema(o[:, 1, 0], 0.7), 0.7)
    assert torch.equal(whole[:, 1, 0], part)


def test_warmup_rises_from_a_tenth_to_alpha():
    np.testing.assert_allclose(ema.warmup(0.9, 100).numpy(), [min(0.9, (1 + k) / (10 + k)) for k in range(100)])


def test_whole_numbers_are_averaged_and_not_cut():
    o = torch.tensor([1, 2, 3])
    assert ema.ema(o, 0.5).tolist() == [0.5, 1.25, 2.125]
    torch.testing.assert_close(ema.corrected(ema.ema(o, 0.5), 0.5), ema.corrected(ema.ema(o.float(), 0.5), 0.5))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_short_formats_do_not_round_alpha_to_1(dtype):
    o = torch.ones(3, dtype=dtype)
    average = ema.corrected(ema.ema(o, 0.999), 0.999)
    assert average.dtype == dtype
    torch.testing.assert_close(average, o)
