"""The formulas of initialisation against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.methods import initialize as textbook

FANS = st.floats(1.0, 1e7)
GAINS = st.floats(1e-3, 1e3)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(FANS, FANS, GAINS)
def test_standard_deviations_are_those_of_the_formulas(fan_in: float, fan_out: float, gain: float) -> None:
    assert textbook.xavier_std(fan_in, fan_out, gain) == pytest.approx(gain * np.sqrt(2 / (fan_in + fan_out)))
    assert textbook.kaiming_std(fan_in, gain) ** 2 * fan_in == pytest.approx(gain**2)
    assert textbook.lecun_std(fan_in) ** 2 * fan_in == pytest.approx(1.0)


def test_uniform_of_the_bound_has_the_standard_deviation() -> None:
    b = textbook.uniform_bound(0.7)
    assert (2 * b) ** 2 / 12 == pytest.approx(0.49)  # the variance of U(-b, b)
    assert textbook.uniform_bound(textbook.xavier_std(30, 70)) == pytest.approx(math.sqrt(6 / 100))
    assert textbook.uniform_bound(textbook.kaiming_std(50)) == pytest.approx(math.sqrt(6 / 50))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31))
def test_orthogonal_has_singular_values_one(rows: int, columns: int, seed: int) -> None:
    a = torch.randn(rows, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    q = textbook.orthogonal(a).numpy()
    assert q.shape == (rows, columns)
    assert np.linalg.svd(q, compute_uv=False) == pytest.approx(np.ones(min(rows, columns)))


def test_orthogonal_is_uniform_over_rotations_and_reflections() -> None:
    generator = torch.Generator().manual_seed(0)
    made = torch.stack(
        [textbook.orthogonal(torch.randn(2, 2, dtype=torch.float64, generator=generator)) for _ in range(4000)]
    )
    assert abs(float(made[:, 0, 0].mean())) < 0.04  # without the signs it is negative throughout
    assert float(torch.linalg.det(made).mean()) == pytest.approx(0, abs=0.05)


def test_delta_orthogonal_acts_on_every_pixel_as_its_matrix() -> None:
    a = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    kernel = textbook.delta_orthogonal(a, (3, 5))
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    y = torch.nn.functional.conv2d(x, kernel, padding=(1, 2))
    q = kernel[:, :, 1, 2].numpy()
    assert q.T @ q == pytest.approx(np.eye(3), abs=1e-12)
    assert y.numpy() == pytest.approx(np.einsum("oi,bihw->bohw", q, x.numpy()))


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_lsuv_factor_makes_the_variance_one(scale: float) -> None:
    z = scale * torch.randn(64, 32, generator=torch.Generator().manual_seed(3)).double() + 5 * scale
    assert np.var((z * textbook.lsuv_factor(z)).numpy()) == pytest.approx(1.0)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=4), st.lists(st.floats(-2, 2), min_size=5, max_size=5))
def test_second_moment_of_any_piecewise_linear_function(kinks: list[float], slopes: list[float]) -> None:
    """Kinks anywhere, not only where the panels meet, against a fine Riemann sum."""

    def f(z: np.ndarray) -> np.ndarray:
        return sum(slope * np.maximum(z - kink, 0) for kink, slope in zip(kinks, slopes, strict=False)) + slopes[-1] * z

    z = np.linspace(-12, 12, 480_001)
    expected = float((f(z) ** 2 * np.exp(-(z**2) / 2)).sum() * (z[1] - z[0]) / np.sqrt(2 * np.pi))
    got = textbook.second_moment(lambda t: torch.from_numpy(f(t.numpy())))
    assert got == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_moments_that_are_known_exactly() -> None:
    assert textbook.second_moment(torch.relu) == pytest.approx(0.5, abs=1e-14)
    assert textbook.second_moment(lambda z: z) == pytest.approx(1, abs=1e-13)
    assert textbook.second_moment(lambda z: z**3) == pytest.approx(15, abs=1e-10)  # 5!!
    assert textbook.second_moment(torch.exp) == pytest.approx(math.exp(2))
    assert textbook.second_moment(torch.sin) == pytest.approx((1 - math.exp(-2)) / 2)
    assert textbook.second_moment(torch.sign) == pytest.approx(1)
    assert textbook.gain(torch.relu) == pytest.approx(math.sqrt(2))
