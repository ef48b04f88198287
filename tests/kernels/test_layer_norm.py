from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trimtab.kernels import layer_norm, results
from trimtab.kernels.layer_norm import Gradients, Normalized

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
ROUNDING = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}


def forward(x: Tensor, weight: Tensor | None, bias: Tensor | None, **options: float) -> Normalized:
    found = layer_norm.forward(x, weight, bias, **options)  # pyright: ignore[reportArgumentType]
    assert found is not None
    return found


def backward(dy: Tensor, x: Tensor, weight: Tensor | None, out: Normalized, **options: int) -> Gradients:
    found = layer_norm.backward(dy, x, weight, (out.shift, out.rest, out.rstd), **options)
    assert found is not None
    return found


def by_numpy(x: Tensor, dy: Tensor, weight: Tensor, bias: Tensor, eps: float, correction: int) -> list[np.ndarray]:
    """y, ∂L/∂x, ∂L/∂γ, ∂L/∂κ by the formulas, in float64."""
    v, g, w, b = (t.double().numpy() for t in (x, dy, weight, bias))
    d = v.shape[-1]
    centred = v - v.mean(-1, keepdims=True)
    centred -= centred.mean(-1, keepdims=True)
    rstd = 1 / np.sqrt((centred**2).sum(-1, keepdims=True) / (d - correction) + eps)
    normal = centred * rstd
    gw = g * w
    along, across = gw.sum(-1, keepdims=True) / d, (gw * normal).sum(-1, keepdims=True) / (d - correction)
    return [normal * w + b, rstd * (gw - along - normal * across), (g * normal).sum(0), g.sum(0)]


def close(actual: Tensor, expected: np.ndarray, rounding: float, terms: float = 0.0) -> None:
    """To rounding of the largest, or of the terms that it is a sum of."""
    scale = max(abs(expected).max(), terms, 1e-300)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(actual.double().numpy() / scale, expected / scale, rtol=0, atol=rounding)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from([(1, 2), (3, 7), (5, 16), (37, 129), (300, 33), (130, 2049), (20, 2048), (3, 20_000)]),
    st.sampled_from(DTYPES),
    st.integers(-20, 18),
    st.sampled_from([0.0, 3.0, 100.0]),
    st.integers(0, 1),
    st.booleans(),
    st.integers(0, 9),
)
def test_is_the_formula(
    shape: tuple[int, int], dtype: torch.dtype, power: int, mean: float, correction: int, streamed: bool, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    scale = 10.0**power if dtype != torch.float16 else 1.0
    x = ((torch.randn(shape, generator=draw, dtype=torch.float64) + mean) * scale).to(dtype)
    dy = torch.randn(shape, generator=draw).to(dtype)
    weight, bias = torch.randn(2, shape[1], generator=draw, dtype=torch.float64)
    eps = 1e-5 * scale**2
    with mock.patch.object(results, "STREAMED", 0 if streamed else math.inf):
        out = forward(x, weight, bias, eps=eps, correction=correction)
        gradients = backward(dy, x, weight, out, correction=correction)
    y, dx, dweight, dbias = by_numpy(x, dy, weight.float() if dtype != torch.float64 else weight, bias, eps, correction)
    rounding = ROUNDING[dtype]
    sums = 1e-12 if dtype == torch.float64 else 2e-6 * (1 + mean)  # kept in float32 for short formats, too
    close(out.y, y, rounding * (1 + mean / 10))
    close(gradients.x, dx, rounding * (1 + mean) * 4, terms=float((out.rstd * dy * weight).abs().max()))
    close(gradients.weight, dweight, sums * 4)
    close(gradients.bias, dbias, sums)


@pytest.mark.parametrize("ratio", [0, 10, 100, 1000, 10_000])
def test_is_as_exact_as_the_values_where_the_mean_is_large(ratio: int) -> None:
    x = torch.randn(64, 1024, generator=torch.Generator().manual_seed(0)) + ratio
    y = forward(x, None, None).y.double()
    v = x.double()
    expected = (v - v.mean(-1, keepdim=True)) / (v.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    assert (y - expected).abs().max() < 2e-6


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_gradient_sums_to_the_number_of_rows(dtype: torch.dtype) -> None:
    rows = 65_536
    x, dy = torch.randn(rows, 24).to(dtype), torch.ones(rows, 24, dtype=dtype)
    assert backward(dy, x, None, forward(x, None, None)).bias.tolist() == [rows] * 24


def test_only_the_row_with_a_bad_value_is_not_finite() -> None:
    x = torch.randn(9, 40)
    x[2, 3], x[5, 39], x[7, 0] = math.nan, math.inf, -math.inf
    y = forward(x, None, None).y
    assert y.isfinite().all(-1).tolist() == [i not in (2, 5, 7) for i in range(9)]
    assert y[[2, 5, 7]].isnan().all()


def test_equal_values_are_zero() -> None:
    for dtype in DTYPES:
        out = forward(torch.full((3, 100), 0.1, dtype=dtype), None, None)
        assert out.y.abs().max() == 0 and out.rest.abs().max() == 0


def test_several_dimensions_of_features() -> None:
    x, weight, bias = torch.randn(4, 5, 3, 7), torch.randn(3, 7), torch.randn(3, 7)
    out = forward(x, weight, bias, dims=2)
    torch.testing.assert_close(out.y, torch.nn.functional.layer_norm(x, (3, 7), weight, bias))
    assert out.rstd.shape == (4, 5, 1, 1)
    assert backward(torch.randn_like(x), x, weight, out, dims=2).weight.shape == (3, 7)


def test_a_gradient_in_another_order_of_memory() -> None:
    x, dy = torch.randn(6, 8), torch.randn(8, 6).t()
    out = forward(x, None, None)
    torch.testing.assert_close(backward(dy, x, None, out), backward(dy.contiguous(), x, None, out), rtol=0, atol=0)


def test_what_is_not_taken() -> None:
    for x in (torch.ones(3, 4).t(), torch.ones(0, 4), torch.ones(3, 0), torch.ones(3, 4, dtype=torch.int32)):
        assert layer_norm.forward(x, None, None) is None
    assert layer_norm.forward(torch.ones(3, 1), None, None, correction=1) is None
