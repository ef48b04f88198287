"""Accelerate needs nothing of trimtab's own: `trimtab.watch()` sees through what `prepare` makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import trimtab
from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS


@pytest.fixture(autouse=True)
def fresh_state() -> Iterator[None]:
    """Accelerate keeps its settings in the process."""
    yield
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()


def train(watch: Any, precision: str = "no", threshold: float = 1.0, rate: float = 1e-2) -> list[torch.Tensor]:
    """The loop of Accelerate's documentation, with accumulation over two batches, clipping and a schedule."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True, mixed_precision=precision, gradient_accumulation_steps=2)
    model: Any = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))
    optimizer: Any = torch.optim.AdamW(model.parameters(), lr=rate)
    x = torch.randn(512, 8)
    loader: Any = DataLoader(TensorDataset(x, x[:, :3].argmax(1)), 16, shuffle=True)
    schedule: Any = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    model, optimizer, loader, schedule = accelerator.prepare(model, optimizer, loader, schedule)
    with watch:
        for _ in range(5):
            for batch, target in loader:
                with accelerator.accumulate(model):
                    accelerator.backward(F.cross_entropy(model(batch), target))
                    if accelerator.sync_gradients:
                        accelerator.clip_grad_norm_(model.parameters(), threshold)
                    optimizer.step()
                    schedule.step()
                    optimizer.zero_grad()
    return [*(p.detach() for p in model.parameters()), torch.rand(4)]


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_prepared_training_is_seen_whole_and_left_as_it_is(precision: str) -> None:
    trace = trimtab.watch()
    plain, watched = train(nullcontext(), precision), train(trace, precision)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    diagnosis = trimtab.diagnose(trace)
    assert (diagnosis.status, diagnosis.steps, diagnosis.findings) == ("healthy", 80, ())
    seen = trace.trace()
    assert [site.name for site in seen.of("layer")] == ["0", "3"]
    assert [site.name for site in seen.of("optimizer")] == ["AdamW"]


def test_clipping_by_the_accelerator_is_seen() -> None:
    trace = trimtab.watch()
    train(trace, threshold=1e-3)
    seen = trace.trace()
    assert (seen[GRAD_USED_RMS] < 0.1 * seen[GRAD_RMS]).all()


def test_a_rate_far_too_low_is_found() -> None:
    trace = trimtab.watch()
    train(trace, rate=1e-9)
    assert [root.code for root in trimtab.diagnose(trace).roots] == ["TT402"]
