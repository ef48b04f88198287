"""Normalisation by the native core equals that by plain operations, and is used wherever it can be."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import trimtab
from trimtab.kernels import batch_norm, layer_norm, native

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

LAYERS = {
    "batch 2-D": (lambda: trimtab.nn.BatchNorm1d(7), (13, 7), batch_norm),
    "batch NCHW": (lambda: trimtab.nn.BatchNorm2d(5, variance="unbiased"), (4, 5, 6, 3), batch_norm),
    "batch without parameters": (lambda: trimtab.nn.BatchNorm1d(5, affine=False), (4, 5, 9), batch_norm),
    "layer": (lambda: trimtab.nn.LayerNorm(33), (4, 9, 33), layer_norm),
    "layer over two dimensions": (lambda: trimtab.nn.LayerNorm((6, 3), variance="unbiased"), (8, 6, 3), layer_norm),
    "layer without parameters": (lambda: trimtab.nn.LayerNorm(12, elementwise_affine=False), (5, 12), layer_norm),
}
each = pytest.mark.parametrize("name", LAYERS)
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture
def calls(monkeypatch):
    """What the core was asked and took."""
    taken = []

    def counted(module, name):
        kernel = getattr(module, name)

        def call(*args, **kwargs):
            done = kernel(*args, **kwargs)
            taken.extend([name] if done is not None else [])
            return done

        monkeypatch.setattr(module, name, call)

    for module in (batch_norm, layer_norm):
        counted(module, "forward")
        counted(module, "backward")
    counted(batch_norm, "evaluate")
    return taken


def trained(name, dtype, channels_last=False):
    """A layer after one batch, with what it gave and the gradients."""
    make, shape, _ = LAYERS[name]
    torch.manual_seed(0)
    layer = make().to(dtype)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn_like(p))
    x = (torch.randn(shape) * 3 + 5).to(dtype)
    x = (x.contiguous(memory_format=torch.channels_last) if channels_last else x).requires_grad_()
    y = layer(x)
    y.backward(torch.randn(shape).to(dtype))
    return [y.detach(), x.grad, *(p.grad for p in layer.parameters()), *layer.buffers()]


@each
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_it_is_what_plain_operations_give(monkeypatch, calls, name, dtype):
    ours = trained(name, dtype)
    assert calls == ["forward", "backward"]
    monkeypatch.setattr(native, "available", lambda: False)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(ours, trained(name, dtype), rtol=tolerance, atol=tolerance)


def test_channels_last_stays_so(calls):
    ours, other = trained("batch NCHW", torch.float32, channels_last=True), trained("batch NCHW", torch.float32)
    assert calls == ["forward", "backward"] * 2
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in ours[:2])
    torch.testing.assert_close(ours, other, rtol=1e-6, atol=1e-6)


def test_a_second_derivative_is_that_of_plain_operations(calls):
    layer = trimtab.nn.LayerNorm(6)
    x = torch.randn(4, 6, requires_grad=True)
    (g,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    (ours,) = torch.autograd.grad(g.square().sum(), x)
    assert calls == ["forward"]
    with torch.enable_grad():
        theirs = nn.functional.layer_norm(x, (6,), layer.weight, layer.bias)
        (g,) = torch.autograd.grad(theirs.square().sum(), x, create_graph=True)
    torch.testing.assert_close(ours, torch.autograd.grad(g.square().sum(), x)[0], rtol=1e-4, atol=1e-4)


def test_evaluation_without_gradients(monkeypatch, calls):
    layer = trimtab.nn.BatchNorm2d(5).eval()
    assert layer.running_mean is not None and layer.running_var is not None
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2)
    x = torch.randn(4, 5, 6, 3)
    with torch.no_grad():
        ours = layer(x)
    assert calls == ["evaluate"]
    torch.testing.assert_close(ours, layer(x).detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "x", [torch.randn(4, 6, dtype=torch.float64), torch.randn(6, 4).t()], ids=["float64", "strided"]
)
def test_what_it_cannot_take_is_left_to_plain_operations(calls, x):
    y = trimtab.nn.LayerNorm(6, dtype=x.dtype)(x)
    assert "forward" not in calls
    torch.testing.assert_close(y, nn.LayerNorm(6, dtype=x.dtype)(x))
