"""Batch norm through the kernels against its formulas in float64: 2-D, NCHW, NHWC, split over batch and space."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.kernels.test_batch_norm import DTYPES, ROUNDING, by_numpy, channels, close, memory_formats
from trimtab.kernels.batch_norm import Gradients, Normalized
from trimtab.kernels.layout import Layout
from trimtab.kernels.triton.batch_norm import backward, evaluate, forward
from trimtab.kernels.triton.tiles import cut
from trimtab.methods.batch_norm import batch_norm_test

SHAPES = [(2, 1), (1500, 3), (37, 130), (3, 5, 7, 9), (5, 4, 3, 3), (2, 3, 1100)]


def both(
    x: Tensor, dy: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5, correction: int = 0
) -> tuple[Normalized, Gradients]:
    out = forward(x, weight, bias, eps, correction)
    assert out is not None
    gradients = backward(dy, x, weight, (out.shift, out.rest, out.rstd), correction)
    assert gradients is not None
    return out, gradients


def flat(x: Tensor) -> Any:
    return channels(x.cpu())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_is_the_formula(device, shape, dtype) -> None:
    draw = torch.Generator().manual_seed(0)
    x = (torch.randn(shape, generator=draw) + 3).to(dtype)
    dy = torch.randn(shape, generator=draw).to(dtype)
    weight, bias = torch.randn(2, shape[1], generator=draw).to(dtype)
    correction, n = shape[0] % 2, x.numel() // shape[1]
    y, dx, dweight, dbias, deviation = by_numpy(x, dy, weight, bias, 1e-3, correction)
    rounding, sums = ROUNDING[dtype], 4e-12 if dtype == torch.float64 else 8e-6
    for ordered in memory_formats(x.to(device)):
        out, gradients = both(ordered, dy.to(device), weight.to(device), bias.to(device), 1e-3, correction)
        close(flat(out.y), y, rounding * 2)
        close(flat(gradients.x), dx, rounding * 16, scale=float(abs(weight).max() / 10))
        close(gradients.weight.cpu().double().numpy(), dweight, sums, scale=math.sqrt(n))
        close(gradients.bias.cpu().double().numpy(), dbias, sums, scale=math.sqrt(n))
        close(out.deviation.flatten().cpu().double().numpy(), deviation, rounding if dtype == torch.float64 else 2e-6)
        assert out.y.stride() == ordered.stride() == gradients.x.stride()


@pytest.mark.parametrize(
    "place",
    [
        Layout(1 << 20, 3, 1),
        Layout(64, 64, 3136),
        Layout(64 * 3136, 64, 1),
        Layout(2, 3, 1 << 20),
        Layout(1024, 1024, 1),
    ],
    ids=str,
)
def test_few_channels_are_split_over_batch_and_space(place) -> None:
    tiles = cut(place)
    assert 128 <= tiles.grid[0] * tiles.grid[1] <= 1024  # some for each multiprocessor
    assert tiles.pieces * tiles.rows >= place.outer > (tiles.pieces - 1) * tiles.rows
    across = place.inner if tiles.planes else place.channels * place.inner
    spans = tiles.spans if tiles.planes else tiles.groups
    assert spans * tiles.span >= across > (spans - 1) * tiles.span


@pytest.mark.parametrize("ratio", [0, 100, 10_000])
@pytest.mark.parametrize("shape", [(3000, 3), (4, 3, 28, 28)])
def test_is_right_where_the_mean_is_large(device, shape, ratio) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)) + ratio
    v = channels(x)
    for ordered in memory_formats(x.to(device)):
        out = forward(ordered, None, None)
        assert out is not None
        np.testing.assert_allclose(out.deviation.flatten().cpu().numpy(), v.std(0), rtol=1e-6)
        assert abs(flat(out.y) - (v - v.mean(0)) / np.sqrt(v.var(0) + 1e-5)).max() < 4e-6


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(2500, 3), (4, 3, 25, 25)])
def test_a_constant_gradient_sums_to_the_number_of_values(device, shape, dtype) -> None:
    x, dy = torch.randn(shape).to(device, dtype), torch.ones(shape, dtype=dtype, device=device)
    for ordered in memory_formats(x):
        assert both(ordered, dy, None, None)[1].bias.tolist() == [2500] * 3


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(50, 3), (4, 3, 8, 8), (4, 17, 2, 2)])
def test_evaluation_is_by_the_given_statistics(device, shape, dtype) -> None:
    x, given = torch.randn(shape, dtype=torch.float64) * 2 + 1, torch.rand(4, shape[1], dtype=torch.float64)
    mean, variance, weight, bias = given
    for ordered in memory_formats(x.to(dtype)):
        y = evaluate(ordered.to(device), mean.to(device), variance.to(device), weight.to(device), bias.to(device))
        assert y is not None and y.stride() == ordered.stride()
        expected = batch_norm_test(ordered.double(), mean, variance, weight, bias)
        close(y.cpu().double().numpy(), expected.numpy(), ROUNDING[dtype])


@pytest.mark.parametrize("shape", [(200, 30), (4, 30, 9, 9), (4, 30, 2, 2)])
def test_only_the_channel_with_a_bad_value_is_not_finite(device, shape) -> None:
    x = torch.randn(shape)
    x[1, 2], x[0, 7], x[2, 29] = math.nan, math.inf, -math.inf
    finite = [c not in (2, 7, 29) for c in range(30)]
    for ordered in memory_formats(x.to(device)):
        out, gradients = both(ordered, torch.ones_like(ordered), None, None)
        assert out.deviation.flatten().isfinite().tolist() == finite
        for result in (out.y, gradients.x):
            assert result.transpose(0, 1).flatten(1).isfinite().all(1).tolist() == finite


def test_a_channel_of_equal_values_is_zero(device) -> None:
    for x in memory_formats(torch.full((20, 3, 5, 5), 0.1, device=device)):
        out = forward(x, None, None)
        assert out is not None and out.y.abs().max() == 0 and out.deviation.abs().max() == 0


def test_what_is_not_taken(device) -> None:
    for x in (torch.ones(3), torch.ones(0, 4), torch.ones(3, 0), torch.ones(4, 4)[:, ::2], torch.ones(3, 4).long()):
        assert forward(x.to(device), None, None) is None
    assert forward(torch.ones(1, 4, device=device), None, None, correction=1) is None
