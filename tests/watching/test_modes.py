"""The mode of a model is seen where it matters: in training, and in evaluations without gradient."""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from trimtab.core.signal import EVALUATION_MODE, TRAINING_MODE, Signal
from trimtab.core.trace import Trace
from trimtab.watching import Watcher


def flags(trace: Trace, signal: Signal) -> list[float]:
    values = trace[signal]
    return [float(v) for v in values[:, 0] if np.isfinite(v)] if values.size else []


def train(steps: int, evaluate_every: int, remember: bool, pause: float = 0.0) -> Trace:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    with Watcher(budget=100) as watcher:
        time.sleep(pause)
        for step in range(steps):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
            if step % evaluate_every == evaluate_every - 1:
                model.eval()
                with torch.no_grad():
                    model(x)
                model.train(remember)
    return watcher.trace()


def test_training_and_evaluation_are_told_apart() -> None:
    trace = train(20, 5, remember=True)
    assert set(flags(trace, TRAINING_MODE)) == {1.0} and flags(trace, EVALUATION_MODE) == [0.0] * 4
    assert trace.of("model")[0].attrs["stateful"] == 1


def test_training_that_stays_in_evaluation_mode_is_seen() -> None:
    seen = flags(train(20, 5, remember=False), TRAINING_MODE)
    assert seen == [1.0] * 4 + [0.0] * 15  # the first step is over before the model is known


def test_an_evaluation_by_a_decorated_function_is_seen() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    @torch.inference_mode()
    def evaluate() -> None:
        model(torch.randn(8, 4))

    with Watcher() as watcher:
        for _ in range(6):
            model(torch.randn(8, 4)).square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # turns gradients off as well, inside torch
            optimizer.step()
            evaluate()
    assert flags(watcher.trace(), EVALUATION_MODE) == [1.0] * 6


def test_the_watchers_own_thread_is_not_taken_for_the_training() -> None:
    # The flush turns gradients off in a thread of its own, here before the training begins.
    trace = train(6, 3, remember=True, pause=2.0)
    assert trace.steps == 6 and not [e for e in trace.events if e.kind == "unseen"]
