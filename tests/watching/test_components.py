"""A network of trimtab's own components is seen as one of torch's."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import nn

import trimtab
from trimtab.core.trace import Trace
from trimtab.watching import Watcher


def train(layers: ModuleType, optim: ModuleType) -> Trace:
    torch.manual_seed(0)
    norms = [layers.BatchNorm2d(8), layers.LayerNorm(32)]
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3),
        norms[0],
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 36, 32),
        norms[1],
        nn.ReLU(),
        nn.Linear(32, 4),
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x = torch.randn(64, 1, 8, 8)
    y = torch.randint(0, 4, (64,))
    with Watcher() as watcher:
        for _ in range(25):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    return watcher.trace()


@pytest.fixture(scope="module")
def traces() -> tuple[Trace, Trace]:
    return train(nn, torch.optim), train(trimtab.nn, trimtab.optim)


def test_its_layers_are_the_same(traces: tuple[Trace, Trace]) -> None:
    of_torch, ours = ([(site.name, site.attrs) for site in trace.of("layer")] for trace in traces)
    assert ours == of_torch


def test_its_parameters_and_optimizer_are_the_same(traces: tuple[Trace, Trace]) -> None:
    for kind in ("parameter", "optimizer"):
        of_torch, ours = ([site.name for site in trace.of(kind)] for trace in traces)
        assert ours == of_torch


def test_its_verdict_is_the_same(traces: tuple[Trace, Trace]) -> None:
    of_torch, ours = (trimtab.diagnose(trace) for trace in traces)
    assert (ours.status, [f.code for f in ours.findings]) == (of_torch.status, [f.code for f in of_torch.findings])
