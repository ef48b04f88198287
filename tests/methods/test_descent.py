"""The textbook's descent against the formula computed anew in NumPy."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.methods import descent
from trimtab.methods.descent import START, descend

SETTINGS = {
    "sgd": {},
    "momentum": {"beta1": 0.9},
    "rmsprop": {"beta2": 0.99},
    "adam": {"beta1": 0.9, "beta2": 0.999, "corrected": True},
    "adam, biased": {"beta1": 0.9, "beta2": 0.999},
    "adam, eps inside": {"beta1": 0.9, "beta2": 0.999, "corrected": True, "eps_inside": True},
}


def by_hand(w, gs, lr, beta1=0.0, beta2=None, eps=1e-8, eps_inside=False, corrected=False):
    v, s = np.zeros_like(w), np.zeros_like(w)
    for k, g in enumerate(gs):
        v = beta1 * v + (1 - beta1) * g
        d, scale = v, np.ones_like(w)
        if corrected:
            d = v / (1 - beta1 ** (k + 1))
        if beta2 is not None:
            s = beta2 * s + (1 - beta2) * g**2
            s_hat = s / (1 - beta2 ** (k + 1)) if corrected else s
            scale = np.sqrt(s_hat + eps) if eps_inside else np.sqrt(s_hat) + eps
        w = w - lr * d / scale
    return w


@pytest.mark.parametrize("name", SETTINGS)
@settings(derandomize=True, deadline=None, max_examples=20)
@given(scale=st.floats(-20, 20), seed=st.integers(0, 99))
def test_the_four_settings(name, scale, seed):
    rng = np.random.default_rng(seed)
    start, gs = rng.normal(size=5), 10**scale * rng.normal(size=(7, 5))
    w, memory = torch.from_numpy(start), START
    for g in gs:
        w, memory = descend(w, torch.from_numpy(g), memory, lr=0.1, **SETTINGS[name])
    np.testing.assert_allclose(w.numpy(), by_hand(start, gs, 0.1, **SETTINGS[name]), rtol=1e-12, atol=1e-12)


def test_the_first_corrected_velocity_is_g_and_the_first_corrected_scale_its_square():
    g = torch.randn(1000, dtype=torch.float64)
    torch.testing.assert_close(descent.correct(descent.velocity(0.0, g, 0.9), 0.9, 0), g, rtol=4e-16, atol=0)
    torch.testing.assert_close(descent.correct(descent.mean_square(0.0, g, 0.999), 0.999, 0), g * g, rtol=1e-15, atol=0)


def test_in_exact_arithmetic_it_is_g_exactly():
    exact: Any = descent  # its formulas take any numbers
    g, beta1, beta2 = Fraction(-22, 7), Fraction(9, 10), Fraction(999, 1000)
    assert exact.correct(exact.velocity(Fraction(0), g, beta1), beta1, 0) == g
    assert exact.correct(exact.mean_square(Fraction(0), g, beta2), beta2, 0) == g**2


def test_the_correction_fades():
    assert pytest.approx(0, abs=3e-5) == 0.9**100
    v = torch.ones(1)
    torch.testing.assert_close(descent.correct(v, 0.9, 99), v, rtol=3e-5, atol=0)


def test_adam_is_momentum_over_rmsprops_scale():
    g = torch.randn(9, dtype=torch.float64)
    w = torch.zeros(9, dtype=torch.float64)
    adam, _ = descend(w, g, lr=1.0, beta1=0.9, beta2=0.99)
    momentum, _ = descend(w, g, lr=1.0, beta1=0.9)
    rmsprop, _ = descend(w, g, lr=1.0, beta2=0.99)
    torch.testing.assert_close(adam, momentum * (rmsprop / -g))


def test_accumulation_is_velocity_over_one_minus_beta():
    v, b = torch.zeros(3, dtype=torch.float64), None
    for g in torch.randn(20, 3, dtype=torch.float64):
        v, b = descent.velocity(v, g, 0.9), descent.accumulation(b, g, 0.9)
    assert b is not None
    torch.testing.assert_close(v, 0.1 * b)


def test_the_centred_square_is_a_variance_and_never_negative():
    s, m = torch.zeros(1), torch.zeros(1)
    for _ in range(5000):
        g = torch.full((1,), 0.1)
        s, m = descent.mean_square(s, g, 0.9), descent.velocity(m, g, 0.9)
        assert descent.centre(s, m) >= 0
    assert descent.centre(torch.tensor(5.0), torch.tensor(2.0)) == 1


def test_decoupled_decay_shrinks_the_weights_only():
    w = torch.tensor([2.0, -4.0])
    torch.testing.assert_close(descent.decay_weights(w, 0.1, 0.5), w * 0.95)


def test_nesterov_looks_one_decay_ahead():
    g, b = torch.tensor(1.0), torch.tensor(3.0)
    assert descent.look_ahead(b, g, 0.5) == 2.5
    assert math.isclose(descent.look_ahead(b, g, 0.9, 0.1).item(), 2.8, rel_tol=1e-6)
