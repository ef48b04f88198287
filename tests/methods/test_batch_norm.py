"""The textbook's batch normalisation against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trimtab.methods.batch_norm import batch_norm_test, batch_norm_train, batch_statistics, running_estimate


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4), (6, 3, 4, 2), (2, 3, 2, 2, 2)])
@pytest.mark.parametrize("unbiased", [False, True])
def test_train_normalizes_each_channel_over_batch_and_space(shape: tuple[int, ...], unbiased: bool) -> None:
    rng = np.random.default_rng(0)
    x, gamma, kappa = rng.normal(3, 2, shape), rng.normal(size=3), rng.normal(size=3)
    expected = np.empty(shape)
    for c in range(3):
        values = x[:, c]
        mean = values.sum() / values.size
        variance = ((values - mean) ** 2).sum() / (values.size - unbiased)
        expected[:, c] = gamma[c] * (values - mean) / np.sqrt(variance + 1e-3) + kappa[c]
    y = batch_norm_train(torch.tensor(x), torch.tensor(gamma), torch.tensor(kappa), 1e-3, unbiased)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_test_mode_uses_the_given_statistics() -> None:
    x = torch.tensor([[1.0, 10.0]])
    y = batch_norm_test(x, torch.tensor([0.0, 8.0]), torch.tensor([4.0, 1.0]), eps=0.0)
    assert y.tolist() == [[0.5, 2.0]]


def test_running_estimates_forget_the_start_by_beta_each_batch() -> None:
    mean = torch.zeros(1)
    for _ in range(3):
        mean = running_estimate(mean, torch.ones(1), beta=0.9)
    assert mean.item() == pytest.approx(1 - 0.9**3)


def test_running_estimates_tend_to_the_statistics_of_the_data() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, variance = torch.zeros(1), torch.ones(1)
    for _ in range(2000):
        batch = 5 + 3 * torch.randn(64, 1, generator=generator)
        x_bar, s2 = batch_statistics(batch, unbiased=True)
        mean, variance = running_estimate(mean, x_bar, 0.99), running_estimate(variance, s2, 0.99)
    assert mean.item() == pytest.approx(5, abs=0.1)
    assert variance.item() == pytest.approx(9, abs=0.4)


def test_one_value_has_no_unbiased_variance() -> None:
    with pytest.raises(ValueError, match=r"n = 1 here.*unbiased=False"):
        batch_norm_train(torch.ones(1, 3), unbiased=True)
    assert batch_norm_train(torch.ones(1, 3)).tolist() == [[0.0, 0.0, 0.0]]
