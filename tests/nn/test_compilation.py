"""`torch.compile` and autocast: one graph, the same numbers."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from trimtab.nn import BatchNorm1d, BatchNorm2d, LayerNorm

LAYERS = [
    (BatchNorm2d(3), (4, 3, 2, 2)),
    (BatchNorm1d(3, momentum=None, variance="unbiased"), (4, 3)),
    (BatchNorm1d(3).eval(), (4, 3)),
    (LayerNorm(3, variance="unbiased"), (4, 3)),
    (LayerNorm(3).bfloat16(), (4, 3)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_compiles_to_one_graph(layer: nn.Module, shape: tuple[int, ...]) -> None:
    torch._dynamo.reset()
    eager, twin = copy.deepcopy(layer), copy.deepcopy(layer)
    compiled = torch.compile(twin, backend="aot_eager", fullgraph=True)
    dtype = next(layer.parameters()).dtype
    tolerance = 6e-2 if dtype == torch.bfloat16 else 1e-5
    for seed in range(2):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
        results = []
        for module in (eager, compiled):
            given = x.clone().requires_grad_()
            y = module(given)
            y.square().sum().backward()
            results.append((y, given.grad))
        torch.testing.assert_close(results[1], results[0], rtol=tolerance, atol=tolerance)
    for mine, expected in zip(twin.buffers(), eager.buffers(), strict=True):
        torch.testing.assert_close(mine, expected)
    for mine, expected in zip(twin.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, rtol=tolerance, atol=tolerance)


def test_types_under_autocast_are_torchs() -> None:
    x = torch.randn(4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        for ours, torchs in ((BatchNorm1d(3), nn.BatchNorm1d(3)), (LayerNorm(3), nn.LayerNorm(3))):
            assert ours(x).dtype == torchs(x).dtype
            assert ours(x.bfloat16()).dtype == torchs(x.bfloat16()).dtype


def test_a_network_under_autocast_trains_in_low_precision() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3), LayerNorm(3))
    with torch.autocast("cpu", torch.bfloat16):
        y = model(torch.randn(8, 2, 4, 4))
    y.float().square().sum().backward()
    assert y.dtype == torch.bfloat16
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())
