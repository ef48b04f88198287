"""The textbook's layer normalisation against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trimtab.methods.layer_norm import layer_norm


@pytest.mark.parametrize(("shape", "dims"), [((5, 4), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((4,), 1)])
@pytest.mark.parametrize("unbiased", [False, True])
def test_normalizes_each_example_over_its_features(shape: tuple[int, ...], dims: int, unbiased: bool) -> None:
    rng = np.random.default_rng(0)
    features = shape[-dims:]
    x, gamma, kappa = rng.normal(3, 2, shape), rng.normal(size=features), rng.normal(size=features)
    examples = x.reshape(-1, int(np.prod(features)))
    mean = examples.mean(1, keepdims=True)
    variance = examples.var(1, ddof=int(unbiased), keepdims=True)
    expected = gamma * ((examples - mean) / np.sqrt(variance + 1e-3)).reshape(shape) + kappa
    y = layer_norm(torch.tensor(x), torch.tensor(gamma), torch.tensor(kappa), 1e-3, unbiased, dims)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_other_examples_do_not_matter() -> None:
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer_norm(x)[1], layer_norm(x[1:2])[0])


def test_one_feature_has_no_unbiased_variance() -> None:
    with pytest.raises(ValueError, match=r"d = 1 here.*unbiased=False"):
        layer_norm(torch.ones(3, 1), unbiased=True)
