"""The textbook formulas of data normalisation against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.methods.standardize import fold, fold_inverse, is_constant, restore, scale, standardize

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=50)


def draw(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1), ratio=st.floats(-1e4, 1e4), exponent=st.integers(-20, 20))
def test_has_mean_zero_and_deviation_one_and_is_undone(seed: int, ratio: float, exponent: int) -> None:
    x = (ratio + draw(seed, 40, 3)) * 10.0**exponent
    mean, sd = x.mean(0), x.std(0)
    values, mu, sigma = tensors(x, mean, scale(*tensors(mean, sd**2)).numpy())
    y = standardize(values, mu, sigma)
    np.testing.assert_allclose(y, (x - mean) / sd, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(restore(y, mu, sigma), x, rtol=1e-12, atol=1e-12 * 10.0**exponent)


def test_a_constant_feature_is_divided_by_one() -> None:
    mean, sd = torch.tensor([0.1, 0.0, 1e4, -1e20]).double(), torch.tensor([0.0, 0.0, 1e-12, 1e4]).double()
    assert is_constant(mean, sd**2).all()
    assert scale(mean, sd**2).tolist() == [1, 1, 1, 1]


def test_a_feature_of_small_numbers_or_of_a_small_spread_is_not_constant() -> None:
    mean, sd = torch.tensor([0.0, 1e-30, 1e4, 1e8]).double(), torch.tensor([1e-30, 1e-30, 1e-8, 1e-6]).double()
    assert not is_constant(mean, sd**2).any()
    torch.testing.assert_close(scale(mean, sd**2), sd, rtol=1e-15, atol=0)


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1))
def test_folding_equals_standardising_first(seed: int) -> None:
    weight, bias, x = draw(seed, 4, 3), draw(seed + 1, 4), 5 + 2 * draw(seed + 2, 10, 3)
    mean, sd = x.mean(0), x.std(0)
    folded, shifted = fold(*tensors(weight, bias, mean, sd))
    expected = ((x - mean) / sd) @ weight.T + bias
    np.testing.assert_allclose(x @ folded.numpy().T + shifted.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_the_inverse_is_folded_into_the_last_layer() -> None:
    weight, bias, mean, sd, x = draw(1, 4, 3), draw(2, 4), draw(3, 4), draw(4, 4) ** 2, draw(5, 10, 3)
    folded, shifted = fold_inverse(*tensors(weight, bias, mean, sd))
    expected = (x @ weight.T + bias) * sd + mean
    np.testing.assert_allclose(x @ folded.numpy().T + shifted.numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_statistics_of_standardised_data(dtype: torch.dtype) -> None:
    x = torch.from_numpy(7 + 3 * draw(6, 1000, 2)).to(dtype)
    y = standardize(x, x.mean(0), x.std(0, unbiased=True)).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0, ddof=1), 1, rtol=1e-5)
