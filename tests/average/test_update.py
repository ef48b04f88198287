"""The in-place step on tensors of all kinds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.swa_utils import get_ema_multi_avg_fn

from trimtab.average import EMA, update_

quick = settings(max_examples=25, deadline=None, derandomize=True)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([1e-20, 1.0, 1e20]), st.sampled_from([0.0, 1e4]))
def test_equals_the_formula_in_float64(seed, gain, scale, shift):
    rng = np.random.default_rng(seed)
    s, o = (rng.normal(shift, 1, 33) * scale for _ in range(2))
    average = torch.tensor(s)
    update_([average], [torch.tensor(o)], gain)
    np.testing.assert_allclose(average.numpy(), s + gain * (o - s), rtol=1e-13, atol=1e-13 * scale * max(1, shift))


@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
def test_a_finer_average_than_its_observations(low):
    average, observation = torch.ones(3), torch.full((3,), 2.0, dtype=low)
    update_([average], [observation], 1e-3)
    assert torch.allclose(average, torch.full((3,), 1.001)) and average.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_every_dtype_with_itself(dtype):
    average = torch.zeros(4, dtype=dtype)
    update_([average], [torch.full((4,), 2, dtype=dtype)], 0.25)
    assert torch.equal(average, torch.full((4,), 0.5, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.bool])
def test_counters_and_masks_are_copied(dtype):
    average = torch.zeros(2, dtype=dtype)
    update_([average], [torch.ones(2, dtype=dtype)], 0.1)
    assert torch.equal(average, torch.ones(2, dtype=dtype))


def test_bit_for_bit_torchs():
    generator = torch.Generator().manual_seed(0)
    start, weights = (torch.randn(1000, generator=generator) for _ in range(2))
    for decay in (0.2, 0.9, 0.999):
        mine, theirs = start.clone(), start.clone()
        update_([mine], [weights], 1 - decay)
        get_ema_multi_avg_fn(decay)([theirs], [weights], 1)
        assert torch.equal(mine, theirs)


def test_different_strides_and_mixed_kinds_in_one_call():
    averages = [torch.zeros(3, 2).T, torch.zeros(()), torch.zeros(0), torch.zeros(2, dtype=torch.float64)]
    observations = [torch.arange(6.0).reshape(2, 3), torch.tensor(2.0), torch.zeros(0), torch.ones(1).expand(2)]
    update_(averages, observations, 0.5)
    assert torch.equal(averages[0], torch.arange(6.0).reshape(2, 3) / 2)
    assert averages[1] == 1 and torch.equal(averages[3], torch.full((2,), 0.5, dtype=torch.float64))


def test_a_gain_of_1_replaces_even_a_nan():
    average = torch.tensor([float("nan"), -3e38])
    update_([average], [torch.tensor([1.0, 3e38])], EMA(0.9).gain(1))
    assert torch.equal(average, torch.tensor([1.0, 3e38]))


def test_a_non_finite_observation_spoils_its_own_place_only():
    average = torch.zeros(3)
    update_([average], [torch.tensor([float("nan"), float("inf"), 1.0])], 0.5)
    assert average.isfinite().tolist() == [False, False, True]


def test_parameters_that_require_gradients():
    average, weight = torch.zeros(2), torch.nn.Parameter(torch.ones(2))
    update_([average], [weight], 0.5)
    assert not average.requires_grad and torch.equal(average, torch.full((2,), 0.5))


def test_nothing_to_do():
    update_([], [], 0.5)


def test_what_does_not_match_is_refused_before_anything_changes():
    averages = [torch.zeros(2), torch.zeros(2)]
    with pytest.raises(ValueError, match=r"observation 1 has shape \(1,\), its average \(2,\)"):
        update_(averages, [torch.ones(2), torch.ones(1)], 0.5)
    with pytest.raises(ValueError, match="2 averages, 1 observations"):
        update_(averages, [torch.ones(2)], 0.5)
    assert torch.equal(averages[0], torch.zeros(2))
