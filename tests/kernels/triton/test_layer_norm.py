"""Layer norm through the kernels against its formulas in float64: rows in registers, in two parts, and split."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.kernels.test_layer_norm import DTYPES, ROUNDING, by_numpy, close
from trimtab.kernels.layer_norm import Gradients, Normalized
from trimtab.kernels.triton import layer_norm
from trimtab.kernels.triton.layer_norm import backward, forward
from trimtab.kernels.triton.tiles import power_of_2

WAYS = ["in registers", "in two parts", "split"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes rows of a width go each of the ways, of which wide rows have others than narrow ones."""

    def take(width: int) -> None:
        widest = {"in registers": layer_norm.WIDEST, "in two parts": power_of_2(width), "split": width - 1}
        monkeypatch.setattr(layer_norm, "WIDEST", widest[request.param])

    return take


def both(
    x: Tensor, dy: Tensor, weight: Tensor | None, bias: Tensor | None, **options: Any
) -> tuple[Normalized, Gradients]:
    out = forward(x, weight, bias, **options)
    assert out is not None
    options.pop("eps", None)
    gradients = backward(dy, x, weight, (out.shift, out.rest, out.rstd), **options)
    assert gradients is not None
    return out, gradients


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(3, 17), (37, 40), (5, 129)])
def test_is_the_formula(device, way, shape, dtype) -> None:
    way(shape[1])
    draw = torch.Generator().manual_seed(shape[1])
    x = (torch.randn(shape, generator=draw) + 3).to(dtype)
    dy = torch.randn(shape, generator=draw).to(dtype)
    weight, bias = torch.randn(2, shape[1], generator=draw).to(dtype)
    correction = shape[0] % 2
    given = (t.to(device) for t in (x, dy, weight, bias))
    out, gradients = both(*given, eps=1e-3, correction=correction)
    y, dx, dweight, dbias = by_numpy(x, dy, weight, bias, 1e-3, correction)
    rounding, sums = ROUNDING[dtype], 4e-12 if dtype == torch.float64 else 8e-6
    close(out.y.cpu(), y, rounding)
    close(gradients.x.cpu(), dx, rounding * 8)
    close(gradients.weight.cpu(), dweight, sums * 4)
    close(gradients.bias.cpu(), dbias, sums)


@pytest.mark.parametrize("power", [-20, 18])
def test_squares_leave_the_range_of_the_format_without_harm(device, power) -> None:
    x = torch.randn(9, 40, generator=torch.Generator().manual_seed(0)) * 10.0**power
    ones, zeros = torch.ones(40), torch.zeros(40)
    out, gradients = both(x.to(device), torch.ones(9, 40, device=device), None, None, eps=10.0 ** (2 * power - 5))
    y, _, dweight, _ = by_numpy(x, torch.ones(9, 40), ones, zeros, 10.0 ** (2 * power - 5), 0)
    close(out.y.cpu(), y, 2e-6)
    close(gradients.weight.cpu(), dweight, 4e-6)


@pytest.mark.parametrize("ratio", [0, 100, 10_000])
def test_is_as_exact_as_the_values_where_the_mean_is_large(device, way, ratio) -> None:
    way(256)
    x = torch.randn(5, 256, generator=torch.Generator().manual_seed(0)) + ratio
    out = forward(x.to(device), None, None)
    v = x.double()
    expected = (v - v.mean(-1, keepdim=True)) / (v.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
    assert out is not None and (out.y.cpu().double() - expected).abs().max() < 3e-6


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_constant_gradient_sums_to_the_number_of_rows(device, dtype) -> None:
    rows = 2500  # more than bfloat16 and float16 can count
    x, dy = torch.randn(rows, 8).to(device, dtype), torch.ones(rows, 8, dtype=dtype, device=device)
    assert both(x, dy, None, None)[1].bias.tolist() == [rows] * 8


@pytest.mark.parametrize(("shape", "dtype"), [((1, 1), torch.float64), ((300, 7), torch.bfloat16)])
def test_narrow_rows(device, shape, dtype) -> None:
    x, dy = torch.randn(shape).to(dtype), torch.ones(shape, dtype=dtype)
    out, gradients = both(x.to(device), dy.to(device), None, None)
    ones = torch.ones(shape[1])
    y, dx, dweight, dbias = by_numpy(x, dy, ones, 0 * ones, 1e-5, 0)
    close(out.y.cpu(), y, ROUNDING[dtype])
    assert abs(gradients.x.cpu().double().numpy() - dx).max() < 1e-2
    assert abs(gradients.weight.cpu().double().numpy() - dweight).max() < 2e-3
    assert gradients.bias.tolist() == dbias.tolist()


def test_only_the_row_with_a_bad_value_is_not_finite(device, way) -> None:
    way(40)
    x = torch.randn(9, 40)
    x[2, 3], x[5, 39], x[7, 0] = math.nan, math.inf, -math.inf
    out, gradients = both(x.to(device), torch.ones(9, 40, device=device), None, None)
    for result in (out.y, gradients.x):
        assert result.isfinite().all(-1).tolist() == [i not in (2, 5, 7) for i in range(9)]
        assert result[[2, 5, 7]].isnan().all()


def test_equal_values_are_zero(device, way) -> None:
    way(100)
    for dtype in DTYPES:
        out = forward(torch.full((3, 100), 0.1, dtype=dtype, device=device), None, None)
        assert out is not None and out.y.abs().max() == 0


def test_several_dimensions_of_features_and_a_gradient_in_another_order_of_memory(device, way) -> None:
    way(21)
    x, weight, bias = torch.randn(4, 5, 3, 7), torch.randn(3, 7), torch.randn(3, 7)
    dy = torch.randn(7, 3, 5, 4).permute(3, 2, 1, 0)
    out, gradients = both(*(t.to(device) for t in (x, dy, weight, bias)), dims=2)
    given = [t.double().requires_grad_() for t in (x, weight, bias)]
    y = torch.nn.functional.layer_norm(given[0], (3, 7), given[1], given[2])
    expected = torch.autograd.grad(y, given, dy.double())
    assert out.rstd.shape == (4, 5, 1, 1)
    for ours, theirs in zip((out.y, *gradients), (y, *expected), strict=True):
        torch.testing.assert_close(ours.cpu().double(), theirs.detach(), rtol=1e-5, atol=2e-5)


def test_gradients_of_weights_are_added_in_one_order(device, way) -> None:
    way(24)
    x, dy = torch.randn(70, 24, device=device), torch.randn(70, 24, device=device)
    first, again = both(x, dy, None, None), both(x, dy, None, None)
    assert all(map(torch.equal, (*first[0], *first[1]), (*again[0], *again[1])))


def test_what_is_not_taken(device) -> None:
    for x in (torch.ones(3, 4).t(), torch.ones(0, 4), torch.ones(3, 0), torch.ones(3, 4, dtype=torch.int32)):
        assert forward(x.to(device), None, None) is None
    assert forward(torch.ones(3, 1, device=device), None, None, correction=1) is None
