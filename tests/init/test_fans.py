"""Fans, counted: with ones everywhere an output is the number of its inputs."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trimtab.init import fans, lecun_normal_


def _counted(layer: nn.Module, size: int, dims: int) -> tuple[float, float]:
    """Mean connections per output and per input, away from the edges."""
    x = torch.ones(1, layer.in_channels, *[size] * dims, dtype=torch.float64, requires_grad=True)  # type: ignore[arg-type]
    y = layer.double()(x)
    ones = torch.ones_like(y)
    (back,) = torch.autograd.grad(y, x, ones)
    return _middle(y, dims), _middle(back, dims)


def _middle(y: Tensor, dims: int) -> float:
    """Mean over the middle: a whole number of strides (1 to 4), so that every phase counts alike."""
    for axis in range(2, 2 + dims):
        start = (y.shape[axis] - 12) // 2
        y = y.narrow(axis, start, 12)
    return float(y.detach().mean())


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    transposed=st.booleans(),
    dims=st.integers(1, 2),
    groups=st.integers(1, 3),
    ins=st.integers(1, 3),
    outs=st.integers(1, 3),
    kernel=st.integers(1, 5),
    stride=st.sampled_from([1, 2, 3, 4]),
    dilation=st.integers(1, 2),
)
def test_fans_of_every_convolution_are_its_connections(
    transposed: bool, dims: int, groups: int, ins: int, outs: int, kernel: int, stride: int, dilation: int
) -> None:
    kinds = {(False, 1): nn.Conv1d, (False, 2): nn.Conv2d, (True, 1): nn.ConvTranspose1d, (True, 2): nn.ConvTranspose2d}
    layer = kinds[transposed, dims](
        ins * groups, outs * groups, kernel, stride, groups=groups, bias=False, dilation=dilation
    )
    nn.init.ones_(layer.weight)
    size = 36 if transposed else 36 * stride
    counted = _counted(layer, size, dims)
    assert fans(layer) == pytest.approx(counted)
    assert fans(layer.weight, groups=groups, transposed=transposed, stride=stride) == fans(layer)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(50, 300), (512, 50)),
        (nn.Conv2d(8, 64, 3, groups=4), (8, 8, 24, 24)),
        (nn.ConvTranspose2d(16, 32, 4, stride=2, groups=2), (8, 16, 16, 16)),
        (nn.ConvTranspose1d(16, 32, 6, stride=3), (16, 16, 64)),
        (nn.ConvTranspose3d(8, 16, 4, stride=2), (4, 8, 8, 8, 8)),
    ],
)
def test_by_fan_in_the_output_has_the_variance_of_the_input(layer: nn.Module, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    options = {}
    if not isinstance(layer, nn.Linear):
        transposed = "Transpose" in type(layer).__name__
        options = {"groups": layer.groups, "stride": layer.stride, "transposed": transposed}
    variances = []
    for _ in range(4):
        lecun_normal_(layer.weight, generator, **options)  # type: ignore[arg-type]
        with torch.no_grad():
            y = layer(torch.randn(shape, generator=generator)) - (layer.bias.view(-1, *[1] * (len(shape) - 2)))  # type: ignore[union-attr]
        inner = y[(..., *[slice(4, -4)] * (len(shape) - 2))] if len(shape) > 2 else y
        variances.append(float(inner.square().mean()))
    assert sum(variances) / 4 == pytest.approx(1.0, abs=0.08)


def test_tables_pairs_gates_and_projections() -> None:
    assert fans(nn.Embedding(100, 16)) == (1, 16)
    assert fans(nn.EmbeddingBag(100, 16)) == (1, 16)
    assert fans(nn.Bilinear(4, 9, 5)).fan_in == 36
    lstm = nn.LSTM(10, 20, 2, proj_size=7)
    assert fans(lstm) == (10, 20)
    assert fans(lstm, "weight_hh_l0") == (7, 20)
    assert fans(lstm, "weight_ih_l1") == (7, 20)
    assert fans(lstm, "weight_hr_l0") == (20, 7)
    assert fans(nn.GRUCell(10, 20)) == (10, 20)
    attention = nn.MultiheadAttention(16, 4, kdim=6, vdim=5)
    assert fans(attention, "k_proj_weight") == (6, 16)
    assert fans(nn.MultiheadAttention(16, 4), "in_proj_weight") == (16, 16)
    assert fans(nn.MultiheadAttention(16, 4)) == (16, 16)
    assert fans(nn.Bilinear(3, 3, 2)) == (9, 6)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no fans"):
        fans(torch.zeros(3))
    with pytest.raises(ValueError, match="groups=2 does not divide"):
        fans(torch.zeros(3, 4, 1), groups=2)
    with pytest.raises(TypeError, match="ReLU has no known weight layout"):
        fans(nn.ReLU())
    with pytest.raises(ValueError, match="no matrix 'weight_xx'"):
        fans(nn.LSTM(2, 2), "weight_xx")
