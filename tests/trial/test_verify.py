"""`trimtab.verify`: a training function as it is and under a recipe, in pairs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import trimtab
from trimtab.core.errors import TrimtabError


def train(scale: float) -> None:
    x = torch.randn(256, 4)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for _ in range(60):
        loss = nn.functional.mse_loss(model(x * scale), x.sum(1, keepdim=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_the_right_remedy_helps() -> None:
    judged = trimtab.verify(lambda: train(300.0), "standardize-inputs", seeds=(0, 1))
    assert judged.verdict == "helped" and judged.effect is not None and judged.effect > 0.5


def test_a_harmful_change_is_never_called_helpful() -> None:
    assert trimtab.verify(lambda: train(1.0), "lower-learning-rate=0.001", seeds=(0, 1)).verdict == "harmed"


def test_no_seed_no_training_and_what_train_raises() -> None:
    with pytest.raises(TrimtabError, match="seed"):
        trimtab.verify(lambda: train(1.0), "standardize-inputs", seeds=())
    with pytest.raises(TrimtabError, match="no training"):
        trimtab.verify(lambda: None, "standardize-inputs", seeds=(0,))
    with pytest.raises(ZeroDivisionError):
        trimtab.verify(lambda: 1 / 0, "standardize-inputs", seeds=(0,))


def test_an_unknown_change_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(TrimtabError, match="stand-on-head"):
        trimtab.verify(lambda: pytest.fail("it was trained"), "stand-on-head")


def test_prescribe_names_the_remedy_of_the_root() -> None:
    torch.manual_seed(0)
    with trimtab.watch() as trace:
        train(300.0)
    names = [advice.remedy.name for advice in trimtab.prescribe(trimtab.diagnose(trace))]
    assert names[0] == "standardize-inputs"
