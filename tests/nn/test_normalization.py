"""Outputs and gradients of both normalisations against NumPy in float64, on random and adversarial input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import trimtab.nn.functional as F
from trimtab.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm

quick = settings(derandomize=True, deadline=None, max_examples=60)
PRECISION = {torch.float64: 1e-11, torch.float32: 4e-6, torch.bfloat16: 2**-8, torch.float16: 2**-11}


class Reference:
    """`γ (x − x̄)/√(s² + ε) + κ` and its derivatives from the formula, statistics over `axes`, in float64."""

    def __init__(self, x: Tensor, axes: tuple[int, ...], unbiased: bool, eps: float) -> None:
        self.x, self.axes = x.detach().double().numpy(), axes
        self.n = int(np.prod([self.x.shape[a] for a in axes]))
        self.divisor = self.n - int(unbiased)
        self.mean = self.x.mean(axes, keepdims=True)
        self.mean = self.mean + (self.x - self.mean).mean(axes, keepdims=True)
        self.variance = ((self.x - self.mean) ** 2).sum(axes, keepdims=True) / self.divisor
        self.rstd = 1 / np.sqrt(self.variance + eps)
        self.normal = (self.x - self.mean) * self.rstd

    def input_gradient(self, g: np.ndarray) -> np.ndarray:
        """Each x moves its own x̂, the mean of all, and the variance of all."""
        by_mean = -(g * self.rstd).sum(self.axes, keepdims=True) / self.n
        by_variance = (g * (self.x - self.mean)).sum(self.axes, keepdims=True) * -0.5 * self.rstd**3
        return g * self.rstd + by_mean + by_variance * 2 * (self.x - self.mean) / self.divisor


def close(actual: Tensor, expected: np.ndarray, dtype: torch.dtype, size: float | None = None) -> None:
    """To `PRECISION`, relative to the largest of the expected."""
    assert actual.dtype == dtype
    size = float(np.abs(expected).max()) if size is None else size
    np.testing.assert_allclose(actual.detach().double().numpy(), expected, rtol=0, atol=2 * PRECISION[dtype] * size)


dtypes = st.sampled_from(list(PRECISION))
scales = st.integers(-20, 20).map(lambda exponent: 10.0**exponent)


def draw_input(
    shape: tuple[int, ...], dtype: torch.dtype, scale: float, ratio: float, seed: int
) -> tuple[Tensor, torch.Generator]:
    """Values of standard deviation `scale` about `ratio` times it, in what the type can hold."""
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.float16:
        scale = min(max(scale, 1e-2), 1e2)
    if dtype in (torch.float16, torch.bfloat16):
        ratio = min(ratio, 10.0)  # beyond it the input has hardly two values left
    x = scale * (torch.randn(shape, dtype=torch.float64, generator=generator) + ratio)
    return x.to(dtype), generator


@quick
@given(
    shape=st.sampled_from([(2, 1), (7, 3), (300, 2), (2, 3, 5), (4, 2, 3, 3), (2, 2, 2, 3, 2), (1, 3, 4)]),
    dtype=dtypes,
    scale=scales,
    ratio=st.sampled_from([0.0, 1.0, -30.0, 1e4]),
    unbiased=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_batch_norm_equals_the_formula(
    shape: tuple[int, ...], dtype: torch.dtype, scale: float, ratio: float, unbiased: bool, seed: int
) -> None:
    x, generator = draw_input(shape, dtype, scale, ratio, seed)
    weight, bias, dy = (torch.randn(s, generator=generator) for s in (shape[1], shape[1], shape))
    dy = dy.to(dtype)
    for leaf in (x, weight, bias):
        leaf.requires_grad_()
    running_mean, running_var = torch.zeros(shape[1], dtype=torch.float64), torch.ones(shape[1], dtype=torch.float64)
    variance = "unbiased" if unbiased else "biased"
    y = F.batch_norm(
        x, running_mean, running_var, weight, bias, True, 1.0, variance=variance, running_variance=variance
    )
    y.backward(dy)

    axes, channels = (0, *range(2, len(shape))), (1, -1, *[1] * (len(shape) - 2))
    reference = Reference(x, axes, unbiased, 1e-5)
    w, b = weight.detach().double().numpy().reshape(channels), bias.detach().double().numpy().reshape(channels)
    dy64 = dy.double().numpy()
    close(y, w * reference.normal + b, dtype)
    assert x.grad is not None and weight.grad is not None and bias.grad is not None
    dx = reference.input_gradient(dy64 * w)
    close(x.grad, dx, dtype, float(np.abs(dy64 * w * reference.rstd).max()))
    close(weight.grad, (dy64 * reference.normal).sum(axes), torch.float32, float(x.numel() / shape[1]))
    close(bias.grad, dy64.sum(axes), torch.float32, float(x.numel() / shape[1]))
    deviation = np.sqrt(reference.variance).reshape(-1)
    np.testing.assert_allclose(running_mean.numpy(), reference.mean.reshape(-1), rtol=1e-6, atol=1e-6 * deviation.max())
    if scale < 1e15:  # beyond, a variance is beyond float32: the estimate is kept
        np.testing.assert_allclose(running_var.numpy(), reference.variance.reshape(-1), rtol=1e-5, atol=1e-37)


@quick
@given(
    features=st.sampled_from([(2,), (7,), (300,), (3, 5)]),
    batch=st.sampled_from([(), (1,), (6,), (2, 3)]),
    dtype=dtypes,
    scale=scales,
    ratio=st.sampled_from([0.0, 1.0, -30.0, 1e4]),
    unbiased=st.booleans(),
    eps=st.sampled_from([1e-5, 1e-12, 0.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_layer_norm_equals_the_formula(
    features: tuple[int, ...],
    batch: tuple[int, ...],
    dtype: torch.dtype,
    scale: float,
    ratio: float,
    unbiased: bool,
    eps: float,
    seed: int,
) -> None:
    shape = batch + features
    x, generator = draw_input(shape, dtype, scale, ratio, seed)
    if any(row.min() == row.max() for row in x.reshape(-1, int(np.prod(features)))):
        return  # no variance in what the type could hold: with ε = 0 there is nothing to divide by
    weight, bias, dy = (torch.randn(s, generator=generator) for s in (features, features, shape))
    dy = dy.to(dtype)
    for leaf in (x, weight, bias):
        leaf.requires_grad_()
    y = F.layer_norm(x, features, weight, bias, eps, variance="unbiased" if unbiased else "biased")
    y.backward(dy)

    axes = tuple(range(len(batch), len(shape)))
    reference = Reference(x, axes, unbiased, eps)
    w, b, dy64 = weight.detach().double().numpy(), bias.detach().double().numpy(), dy.double().numpy()
    close(y, w * reference.normal + b, dtype)
    assert x.grad is not None and weight.grad is not None and bias.grad is not None
    largest = np.abs(dy64 * w * reference.rstd)
    error = np.abs(x.grad.double().numpy() - reference.input_gradient(dy64 * w))
    assert (error <= 20 * PRECISION[dtype] * largest.max(axes, keepdims=True)).all()
    leading, n = tuple(range(len(batch))), float(np.prod(batch))
    close(
        weight.grad, (dy64 * reference.normal).sum(leading), torch.float32, n * max(1, np.abs(reference.normal).max())
    )
    close(bias.grad, dy64.sum(leading), torch.float32, n)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_parameter_gradients_of_low_precision_input_are_summed_in_float32(dtype: torch.dtype) -> None:
    layer = LayerNorm(4, dtype=torch.float32)
    layer(torch.randn(65536, 4, generator=torch.Generator().manual_seed(0)).to(dtype)).backward(
        torch.ones(65536, 4, dtype=dtype)
    )
    assert layer.bias.grad is not None
    assert layer.bias.grad.tolist() == [65536.0] * 4
    channels = BatchNorm1d(4)
    channels(torch.randn(65536, 4, generator=torch.Generator().manual_seed(0)).to(dtype)).backward(
        torch.ones(65536, 4, dtype=dtype)
    )
    assert channels.bias.grad is not None
    assert channels.bias.grad.tolist() == [65536.0] * 4


def test_parameters_of_low_precision_get_the_rounded_float32_sum() -> None:
    layer = LayerNorm(4, dtype=torch.bfloat16)
    layer(torch.zeros(65536, 4, dtype=torch.bfloat16)).backward(torch.ones(65536, 4, dtype=torch.bfloat16))
    assert layer.bias.grad is not None
    assert layer.bias.grad.tolist() == [65536.0] * 4


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_running_variance_is_right_far_from_zero_in_every_memory_format(memory_format: torch.memory_format) -> None:
    x = 1e4 + torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    x = x.to(memory_format=memory_format)
    layer = BatchNorm2d(3, momentum=1.0)
    layer(x)
    expected = x.double().var((0, 2, 3))
    torch.testing.assert_close(layer.running_var, expected.float(), rtol=1e-5, atol=0)


def test_running_variance_of_flat_input_is_right_far_from_zero() -> None:
    x = 1e3 + torch.randn(65536, 3, generator=torch.Generator().manual_seed(0))
    layer = BatchNorm1d(3, momentum=1.0)
    layer(x)
    torch.testing.assert_close(layer.running_var, x.double().var(0).float(), rtol=1e-5, atol=0)


def test_memory_formats_agree_and_are_kept() -> None:
    x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        layer, given = BatchNorm2d(3), x.clone(memory_format=memory_format).requires_grad_()
        y = layer(given)
        y.backward(x.clone(memory_format=memory_format))
        assert given.grad is not None
        assert y.is_contiguous(memory_format=memory_format)
        assert given.grad.is_contiguous(memory_format=memory_format)
        results.append((y, given.grad, layer.running_mean, layer.running_var))
    for nchw, nhwc in zip(*results, strict=True):
        torch.testing.assert_close(nchw, nhwc, rtol=1e-6, atol=1e-6)


def test_channels_last_3d_is_kept() -> None:
    x = torch.randn(2, 3, 4, 4, 4).to(memory_format=torch.channels_last_3d)
    assert BatchNorm3d(3)(x).is_contiguous(memory_format=torch.channels_last_3d)


def test_strides_do_not_matter() -> None:
    x = torch.randn(6, 4, 10, generator=torch.Generator().manual_seed(0))
    for layer in (BatchNorm1d(4), LayerNorm(5)):
        torch.testing.assert_close(layer(x[..., ::2]), layer(x[..., ::2].contiguous()), rtol=1e-6, atol=1e-6)
    expanded = torch.randn(6, 1, 5, generator=torch.Generator().manual_seed(0)).expand(6, 4, 5)
    torch.testing.assert_close(BatchNorm1d(4)(expanded), BatchNorm1d(4)(expanded.contiguous()))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_spoils_what_is_normalized_with_it_and_nothing_else(value: float) -> None:
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    x[1, 2] = value
    by_batch = BatchNorm1d(3)(x)
    assert by_batch[:, 2].isnan().all() and by_batch[:, :2].isfinite().all()
    by_example = LayerNorm(3)(x)
    assert by_example[1].isnan().all() and by_example[[0, 2, 3]].isfinite().all()


@pytest.mark.parametrize("variance", ["biased", "unbiased"])
def test_a_constant_channel_becomes_the_bias(variance: str) -> None:
    layer = BatchNorm1d(2, variance=variance)  # pyright: ignore[reportArgumentType]
    torch.nn.init.constant_(layer.bias, 0.25)
    x = torch.full((8, 2), 0.1).requires_grad_()
    y = layer(x)
    y.sum().backward()
    assert y.tolist() == [[0.25, 0.25]] * 8
    assert x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 5), (4, 3, 0)])
def test_empty_input_gives_empty_output_and_zero_gradients(shape: tuple[int, ...]) -> None:
    layer, x = BatchNorm1d(3), torch.empty(shape, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None and x.grad.shape == shape
    assert layer.weight.grad is not None and layer.weight.grad.tolist() == [0.0] * 3
    assert layer.running_var is not None and layer.running_var.tolist() == [1.0] * 3
    features = LayerNorm(3)
    features(torch.empty(0, 3)).sum().backward()
    assert features.weight.grad is not None and features.weight.grad.tolist() == [0.0] * 3


def test_a_deep_mean_is_taken_off_to_the_last_digit() -> None:
    """A mean rounded to float32 would leave 5e-4 of 1."""
    x = 1e4 + torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
    expected = Reference(x, (0,), False, 1e-5).normal
    np.testing.assert_allclose(BatchNorm1d(1)(x).detach().numpy(), expected, atol=2e-6)
    np.testing.assert_allclose(LayerNorm(1000)(x.T).detach().numpy(), expected.T, atol=2e-6)


@pytest.mark.parametrize("ratio", [0.0, 1e4])
def test_a_million_values_a_channel(ratio: float) -> None:
    x = ratio + torch.randn(2**20, 2, generator=torch.Generator().manual_seed(0))
    layer = BatchNorm1d(2, momentum=1.0)
    reference = Reference(x, (0,), True, 1e-5)
    y = layer(x.requires_grad_())
    y.backward(torch.ones_like(y))
    assert layer.running_var is not None and layer.bias.grad is not None and layer.weight.grad is not None
    np.testing.assert_allclose(layer.running_var.numpy(), reference.variance[0], rtol=1e-6)
    assert layer.bias.grad.tolist() == [2.0**20] * 2
    assert layer.weight.grad.abs().max() < 1  # the sum of x̂, which is 0


@pytest.mark.parametrize("shape", [(), (3,)])
def test_an_input_without_a_batch(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        BatchNorm1d(3)(x)
    if shape:
        assert LayerNorm(3)(x).shape == shape
    else:
        with pytest.raises(RuntimeError, match=r"got input of size\[\]"):
            LayerNorm(3)(x)
