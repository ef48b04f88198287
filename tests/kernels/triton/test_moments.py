"""The eight numbers through the kernels against their definitions in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.kernels.test_moments import DTYPES, by_numpy
from trimtab.kernels.moments import Numbers
from trimtab.kernels.triton.moments import measure, merged

SHAPES = [(1,), (5000,), (1500, 3), (4, 130), (5, 40, 3), (4, 3, 5, 9), (3, 2, 1100)]


def check(numbers: Numbers | None, x: Tensor, dim: int | None, limit: float, rtol: float = 2e-6) -> None:
    assert numbers is not None
    wide = x.double()
    rows = wide.reshape(1, -1) if dim is None else wide.movedim(dim, 0).reshape(x.shape[dim], -1)
    expected = np.array([by_numpy(row.numpy(), limit) for row in rows]).T
    for name, found, wanted in zip(Numbers._fields, numbers, expected, strict=True):
        actual = found.cpu().reshape(-1).numpy()
        slack = rtol * np.sqrt(expected[2] / expected[0].clip(1)) if name == "mean" else 0.0
        with np.errstate(invalid="ignore"):
            assert ((actual == wanted) | (abs(actual - wanted) <= rtol * abs(wanted) + slack)).all(), name


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bad", [False, True])
def test_are_their_definitions(device, shape, dtype, bad) -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=draw) + 1
    x[torch.rand(shape, generator=draw) < 0.1] = 0.0
    if bad:
        x[torch.rand(shape, generator=draw) < 0.02] = math.nan
        x[torch.rand(shape, generator=draw) < 0.02] = -math.inf
    x = x.to(dtype)
    for dim in (None, *range(x.ndim)):
        if dim is None or shape[dim] <= 130:
            check(measure(x.to(device), dim, 1.5), x, dim, 1.5)


@pytest.mark.parametrize("ratio", [0, 100, 10_000])
@pytest.mark.parametrize("dim", [None, 1])
def test_are_right_where_the_mean_is_large(device, ratio, dim) -> None:
    x = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0)) + ratio
    check(measure(x.to(device), dim), x, dim, math.inf, rtol=1e-6)


@pytest.mark.parametrize("power", [-20, 18, 37])
def test_squares_leave_the_range_of_the_format_without_harm(device, power) -> None:
    x = torch.randn(900, generator=torch.Generator().manual_seed(0)) * 10.0**power
    check(measure(x.to(device)), x, None, math.inf)


def test_a_first_value_that_is_far_off_or_not_finite_is_no_matter(device) -> None:
    for first in (1e6, math.nan, math.inf):
        x = torch.randn(5000, generator=torch.Generator().manual_seed(0))
        x[0] = first
        check(measure(x.to(device)), x, None, math.inf, rtol=1e-5)
        check(measure(x.to(device).view(-1, 8), 1), x.view(-1, 8), 1, math.inf, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_of_equal_values_m2_is_exactly_zero(device, dtype) -> None:
    for value in (0.0, 0.1, -3e-5):
        x = torch.full((100, 5), value, dtype=dtype, device=device)
        for dim in (None, 0, 1):
            numbers = measure(x, dim)
            assert numbers is not None and numbers.m2.abs().max() == 0


def test_the_order_of_dimensions_in_memory_does_not_matter(device) -> None:
    x = torch.randn(6, 5, 7, 9, device=device)
    for other in (x.to(memory_format=torch.channels_last), x.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0)):
        for dim in (None, 0, 1, 2, 3):
            one, same = measure(x, dim), measure(other, dim)
            assert one is not None and same is not None
            torch.testing.assert_close(one, same, rtol=1e-6, atol=1e-6)


def test_of_many_arrays_are_those_of_one(device) -> None:
    draw = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, 4, generator=draw) for n in (*range(40), 300)]  # the first without a row
    parts[7][2, 1] = math.nan
    several = [measure(part.to(device), 1, 1.0) for part in parts]
    whole = merged([numbers for numbers in several if numbers is not None])
    check(whole, torch.cat(parts), 1, 1.0)


def test_of_nothing(device) -> None:
    def floats(x: Tensor) -> list[float]:
        numbers = measure(x.to(device))
        return [float(n) for n in numbers or ()]

    assert floats(torch.ones(0)) == [0, 0, 0, math.inf, -math.inf, 0, 0, 0]
    assert floats(torch.full((3,), math.nan)) == [0, 0, 0, math.inf, -math.inf, 0, 3, 0]
    assert floats(torch.tensor(2.0))[1] == 2.0
    for shape, sizes in (((0, 3), (3,)), ((3, 0), (0,))):
        numbers = measure(torch.ones(shape, device=device), 1)
        assert numbers is not None and numbers.finite.shape == sizes and not numbers.finite.any()


def test_what_is_not_taken(device) -> None:
    assert measure(torch.ones(4, dtype=torch.int64, device=device)) is None
    assert measure(torch.ones(4, 4, device=device)[:, ::2]) is None
    assert measure(torch.ones(1, 4, device=device).expand(3, 4)) is None
