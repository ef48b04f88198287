"""A loss that stands out is looked at; ordinary noise, falls and new levels are not."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from trimtab.core.signal import GRAD_RMS
from trimtab.watching import Watcher
from trimtab.watching.surprise import APART, MOST, Surprise


def surprises(values: list[float]) -> list[int]:
    surprise = Surprise()
    return [step for step, value in enumerate(values) if surprise.stands_out(step, 0, value)]


def noise(n: int) -> list[float]:
    return [float(v) for v in 1 + 0.1 * np.random.default_rng(0).standard_normal(n)]


def test_a_spike_stands_out_and_noise_does_not() -> None:
    values = noise(300)
    assert surprises(values) == []
    values[200] = 5.0
    assert surprises(values) == [200]


def test_nothing_stands_out_at_the_start_nor_where_all_is_equal() -> None:
    assert surprises([1.0, 50.0, 1.0, 2.0]) == []
    assert surprises([1.0] * 100 + [1.1]) == []


def test_looks_of_this_kind_are_few() -> None:
    values = noise(5000)
    for step in range(100, 5000, 50):
        values[step] = 10.0
    assert len(surprises(values)) == MOST
    assert surprises([*noise(100), *[40.0] * 40])[:2] == [100, 100 + APART]


def test_a_spike_between_the_looks_is_measured() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with Watcher(budget=0.001) as watcher:
        for step in range(200):
            x = torch.randn(8, 4) * (100.0 if step == 150 else 1.0)
            model(x).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    trace = watcher.trace()
    steps = trace.at(GRAD_RMS).tolist()
    assert 150 in steps and len(steps) < 40
    assert trace[GRAD_RMS][steps.index(150)].max() > 100 * np.median(trace[GRAD_RMS])
