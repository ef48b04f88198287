from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trimtab.kernels import batch_norm, results
from trimtab.kernels.batch_norm import Gradients, Normalized
from trimtab.methods.batch_norm import batch_norm_test

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
ROUNDING = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
SHAPES = [(2, 1), (300, 3), (37, 100), (1000, 600), (6, 5, 7, 9), (5, 4, 3, 3), (3, 2, 5), (9, 70, 40), (6, 9, 17, 31)]


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5, correction: int = 0
) -> Normalized:
    found = batch_norm.forward(x, weight, bias, eps, correction)
    assert found is not None
    return found


def backward(dy: Tensor, x: Tensor, weight: Tensor | None, out: Normalized, correction: int = 0) -> Gradients:
    found = batch_norm.backward(dy, x, weight, (out.shift, out.rest, out.rstd), correction)
    assert found is not None
    return found


def channels(x: Tensor) -> np.ndarray:
    return x.double().movedim(1, -1).flatten(0, -2).numpy()  # [n, C]


def by_numpy(x: Tensor, dy: Tensor, weight: Tensor, bias: Tensor, eps: float, correction: int) -> list[np.ndarray]:
    """y, ∂L/∂x [n, C], ∂L/∂γ, ∂L/∂κ and s by the formulas, in float64."""
    v, g, w, b = channels(x), channels(dy), weight.double().numpy(), bias.double().numpy()
    n = len(v)
    centred = v - v.mean(0)
    centred -= centred.mean(0)
    variance = (centred**2).sum(0) / (n - correction)
    rstd = 1 / np.sqrt(variance + eps)
    normal = centred * rstd
    slope = (g * normal).sum(0)
    dx = w * rstd * (g - g.mean(0) - normal * slope / (n - correction))
    return [normal * w + b, dx, slope, g.sum(0), np.sqrt(variance)]


def close(actual: np.ndarray, expected: np.ndarray, rounding: float, scale: float = 1e-300) -> None:
    assert np.isfinite(expected).all()
    scale = max(abs(expected).max(), scale)
    np.testing.assert_allclose(actual / scale, expected / scale, rtol=0, atol=rounding)


def memory_formats(x: Tensor) -> list[Tensor]:
    """The same values in other orders of memory."""
    return [x, x.movedim(1, -1).contiguous().movedim(-1, 1), x.transpose(0, 1).contiguous().transpose(0, 1)]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from(SHAPES),
    st.sampled_from(DTYPES),
    st.integers(-20, 18),
    st.sampled_from([0.0, 3.0, 100.0]),
    st.integers(0, 1),
    st.integers(0, 2),
    st.booleans(),
    st.integers(0, 9),
)
def test_is_the_formula(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    power: int,
    mean: float,
    correction: int,
    order: int,
    streamed: bool,
    seed: int,
) -> None:
    draw = torch.Generator().manual_seed(seed)
    scale = 10.0**power if dtype != torch.float16 else 1.0
    x = ((torch.randn(shape, generator=draw, dtype=torch.float64) + mean) * scale).to(dtype)
    dy = torch.randn(shape, generator=draw).to(dtype)
    weight, bias = torch.randn(2, shape[1], generator=draw)
    eps = 1e-5 * scale**2
    x = memory_formats(x)[order]
    with mock.patch.object(results, "STREAMED", 0 if streamed else math.inf):
        out = forward(x, weight, bias, eps, correction)
        gradients = backward(dy, x, weight, out, correction)
    y, dx, dweight, dbias, deviation = by_numpy(x, dy, weight, bias, eps, correction)
    rounding, n = ROUNDING[dtype], x.numel() // shape[1]
    sums = (1e-12 if dtype == torch.float64 else 2e-6) * (1 + mean)  # kept in float32 for short formats, too
    close(channels(out.y), y, rounding * (1 + mean / 10))
    close(channels(gradients.x), dx, rounding * (1 + mean) * 4, scale=float(abs(weight).max() / scale / 10))
    close(gradients.weight.numpy(), dweight, sums, scale=math.sqrt(n))
    close(gradients.bias.numpy(), dbias, sums, scale=math.sqrt(n))
    close(out.deviation.flatten().numpy(), deviation, rounding if dtype == torch.float64 else 2e-6)
    assert out.y.stride() == x.stride() == gradients.x.stride()


@pytest.mark.parametrize("ratio", [0, 10, 100, 1000, 10_000])
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("shape", [(200_000, 3), (64, 3, 56, 56)])
def test_is_right_where_the_mean_is_large(shape: tuple[int, ...], order: int, ratio: int) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)) + ratio
    out = forward(memory_formats(x)[order], None, None)
    v = channels(x)
    np.testing.assert_allclose(out.deviation.flatten().numpy(), v.std(0), rtol=1e-6)
    assert abs(channels(out.y) - (v - v.mean(0)) / np.sqrt(v.var(0) + 1e-5)).max() < 3e-6


@pytest.mark.parametrize("ratio", [0, 1000])
def test_the_order_of_memory_changes_the_result_by_rounding_alone(ratio: int) -> None:
    draw = torch.Generator().manual_seed(0)
    x, dy = torch.randn(8, 20, 28, 28, generator=draw) + ratio, torch.randn(8, 20, 28, 28, generator=draw)
    results = [(*(o := forward(m, None, None)), *backward(dy, m, None, o)) for m in memory_formats(x)]
    for other in results[1:]:
        for one, same in zip(results[0], other, strict=True):
            largest = float(one.abs().max().clamp_min(1.0))
            torch.testing.assert_close(one, same, rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(65_536, 3), (16, 3, 64, 64)])
def test_a_constant_gradient_sums_to_the_number_of_values(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, dy = torch.randn(shape).to(dtype), torch.ones(shape, dtype=dtype)
    for m in memory_formats(x):
        assert backward(dy, m, None, forward(m, None, None)).bias.tolist() == [65_536] * 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(50, 3), (4, 3, 8, 8), (4, 17, 2, 2)])
def test_evaluation_is_by_the_given_statistics(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, parameters = torch.randn(shape, dtype=torch.float64) * 2 + 1, torch.rand(4, shape[1], dtype=torch.float64)
    mean, variance, weight, bias = parameters
    for m in memory_formats(x.to(dtype)):
        y = batch_norm.evaluate(m, mean, variance, weight, bias)
        assert y is not None and y.stride() == m.stride()
        close(y.double().numpy(), batch_norm_test(m.double(), mean, variance, weight, bias).numpy(), ROUNDING[dtype])


def test_only_the_channel_with_a_bad_value_is_not_finite() -> None:
    for shape in ((200, 30), (4, 30, 9, 9), (4, 30, 2, 2)):
        x = torch.randn(shape)
        x[1, 2], x[0, 7], x[2, 29] = math.nan, math.inf, -math.inf
        for m in memory_formats(x):
            out = forward(m, None, None)
            finite = [c not in (2, 7, 29) for c in range(30)]
            assert out.deviation.flatten().isfinite().tolist() == finite
            assert out.y.transpose(0, 1).flatten(1).isfinite().all(1).tolist() == finite


def test_a_channel_of_equal_values_is_zero() -> None:
    for x in memory_formats(torch.full((20, 3, 5, 5), 0.1)):
        out = forward(x, None, None)
        assert out.y.abs().max() == 0 and out.deviation.abs().max() == 0


def test_a_gradient_that_is_a_lazy_negation() -> None:
    x, dy = torch.randn(6, 8), torch.randn(6, 8)
    out = forward(x, None, None)
    torch.testing.assert_close(
        backward(torch.ops.aten._neg_view(dy), x, None, out), backward(-dy, x, None, out), rtol=0, atol=0
    )


def test_what_is_not_taken() -> None:
    assert batch_norm.forward(torch.ops.aten._neg_view(torch.ones(3, 4)), None, None) is None
    for x in (torch.ones(3), torch.ones(0, 4), torch.ones(3, 0), torch.ones(4, 4)[:, ::2], torch.ones(3, 4).long()):
        assert batch_norm.forward(x, None, None) is None
    assert batch_norm.forward(torch.ones(1, 4), None, None, correction=1) is None
