"""Steps that are given a closure: as Lightning takes them, and as LBFGS does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS, GRADIENT_DOT, LOSS, REACHED, UPDATE_RMS
from trimtab.core.trace import Trace
from trimtab.watching import Watcher


def train(optimizer_class: type[torch.optim.Optimizer], threshold: float, batches: int = 1) -> Trace:
    """Steps whose closure clears, computes and clips the gradients; all batches but the last come before the step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    idle = nn.Linear(3, 3)
    optimizer = optimizer_class([*model.parameters(), *idle.parameters()], lr=0.1)  # pyright: ignore[reportCallIssue]
    x = torch.randn(32, 8)

    def closure(last: bool = True) -> Tensor:
        loss = (model(x) - x[:, :1]).square().mean()
        if batches == 1:
            optimizer.zero_grad()
        loss.backward()
        if last:
            nn.utils.clip_grad_norm_(model.parameters(), threshold)
        return loss

    with Watcher() as watcher:
        for _ in range(6):
            for _ in range(batches - 1):
                closure(last=False)
            optimizer.step(closure)  # pyright: ignore
            if batches > 1:
                optimizer.zero_grad()
    return watcher.trace()


@pytest.mark.parametrize("batches", [1, 3])
def test_the_gradient_that_a_closure_leaves_is_the_one_used(batches: int) -> None:
    trace = train(torch.optim.SGD, threshold=1e-3, batches=batches)
    used, before = trace[GRAD_USED_RMS][:, :4], trace[GRAD_RMS][:, :4]
    assert used.shape == (6, 4)
    assert (used < 0.1 * before).all()
    np.testing.assert_allclose(trace[UPDATE_RMS][:, :4], 0.1 * used, rtol=1e-3)


def test_reach_and_noise_are_measured_as_in_a_plain_step() -> None:
    trace = train(torch.optim.SGD, threshold=1.0)
    assert sorted(trace[REACHED][0]) == [0, 0, 1, 1, 1, 1]
    assert len(trace[GRADIENT_DOT])


def test_of_several_evaluations_the_gradient_used_is_not_known() -> None:
    trace = train(torch.optim.LBFGS, threshold=1.0)
    assert not len(trace[GRAD_USED_RMS])
    assert len(trace[LOSS]) == 6 and len(trace[UPDATE_RMS]) == 6
