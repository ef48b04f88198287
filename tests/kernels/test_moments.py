from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trimtab.kernels.moments import Numbers, measure

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def numbers(x: Tensor, dim: int | None = None, limit: float = math.inf, precise: bool = False) -> Numbers:
    found = measure(x, dim, limit, precise=precise)
    assert found is not None
    return found


def by_numpy(values: np.ndarray, limit: float) -> list[float]:
    """The eight numbers by their definitions, in float64 with the mean taken twice."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [0, 0, 0, math.inf, -math.inf, 0, len(values), 0]
    mean = finite.mean()
    mean += (finite - mean).mean()
    extremes = [finite.min(), finite.max()]
    m2 = ((finite - mean) ** 2).sum()
    counts = [(finite == 0).sum(), len(values) - len(finite), (abs(finite) >= limit).sum()]
    return [len(finite), mean, m2, *extremes, *counts]


def check(x: Tensor, dim: int | None, limit: float, rtol: float = 2e-6, precise: bool = False) -> None:
    wide = x.double()
    rows = wide.reshape(1, -1) if dim is None else wide.movedim(dim, 0).reshape(x.shape[dim], -1)
    expected = np.array([by_numpy(row.numpy(), limit) for row in rows]).T
    for name, actual, wanted in zip(Numbers._fields, numbers(x, dim, limit, precise), expected, strict=True):
        slack = rtol * np.sqrt(expected[2] / expected[0].clip(1)) if name == "mean" else 0.0
        with np.errstate(invalid="ignore"):  # of infinities
            difference = abs(actual.reshape(-1).numpy() - wanted)
            assert ((actual.reshape(-1).numpy() == wanted) | (difference <= rtol * abs(wanted) + slack)).all(), name


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.sampled_from([(1,), (37,), (300, 3), (129, 100), (5, 40, 3), (4, 3, 5, 9), (700, 17), (3, 2, 9001), (9, 600)]),
    st.sampled_from(DTYPES),
    st.integers(-20, 18),
    st.sampled_from([0.0, 10.0, 1e4]),
    st.integers(0, 9),
    st.booleans(),
)
def test_are_their_definitions(
    shape: tuple[int, ...], dtype: torch.dtype, power: int, mean: float, seed: int, bad: bool
) -> None:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=draw, dtype=torch.float64) + mean
    x = x * (10.0**power if dtype != torch.float16 else 1.0)
    x[torch.rand(shape, generator=draw) < 0.1] = 0.0
    if bad:
        x[torch.rand(shape, generator=draw) < 0.01] = math.nan
        x[torch.rand(shape, generator=draw) < 0.01] = -math.inf
    limit = float(x[x.isfinite()].abs().median()) if x.isfinite().any() else 1.0
    for dim in (None, *range(x.ndim)):
        check(x.to(dtype), dim, limit)
        check(x.to(dtype), dim, limit, rtol=1e-9, precise=True)


@pytest.mark.parametrize("sd", [1.0, 1e-3])
@pytest.mark.parametrize("ratio", [0, 10, 100, 1000, 10_000])
@pytest.mark.parametrize("dim", [None, 1])
def test_of_float32_are_right_to_a_millionth_where_the_mean_is_large(ratio: int, sd: float, dim: int | None) -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(200_000, 3, generator=draw) * sd + ratio * sd
    check(x, dim, math.inf, rtol=1e-6)
    check(x, dim, math.inf, rtol=1e-12, precise=True)


def test_a_trend_and_an_outlier_are_no_matter() -> None:
    """A guess at the mean by the first values is far off."""
    steps = torch.arange(100_000.0).div(1000).floor() * 100
    outlier = torch.randn(100_000)
    outlier[:8] = 1e6
    for x in (steps, outlier, torch.cat([torch.zeros(9000), 1e4 + torch.randn(9000)])):
        check(x, None, math.inf, rtol=1e-5)
        check(x.view(-1, 8), 1, math.inf, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e4, -3e-5])
def test_of_equal_values_m2_is_exactly_zero(value: float, dtype: torch.dtype) -> None:
    x = torch.full((1000, 5), value, dtype=dtype)
    for dim in (None, 0, 1):
        assert numbers(x, dim).m2.abs().max() == numbers(x, dim, precise=True).m2.abs().max() == 0


def test_the_order_of_dimensions_in_memory_does_not_matter() -> None:
    x = torch.randn(6, 5, 7, 9)
    for other in (x.to(memory_format=torch.channels_last), x.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0)):
        for dim in (None, 0, 1, 2, 3):
            for a, b in zip(numbers(x, dim), numbers(other, dim), strict=True):
                torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def test_of_nothing() -> None:
    assert [float(n) for n in numbers(torch.ones(0))] == [0, 0, 0, math.inf, -math.inf, 0, 0, 0]
    assert numbers(torch.ones(0, 3), 1).finite.tolist() == [0.0] * 3
    assert numbers(torch.ones(3, 0), 1).finite.shape == (0,)
    assert float(numbers(torch.tensor(2.0)).mean) == 2.0


def test_what_is_not_taken() -> None:
    assert measure(torch.ones(4, dtype=torch.int64)) is None
    assert measure(torch.ones(4, 4)[:, ::2]) is None
    assert measure(torch.ones(1, 4).expand(3, 4)) is None
    assert measure(torch.ones(4, device="meta")) is None
