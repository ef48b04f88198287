"""Recipes in training loops that are not the plain one: the change is the one that a hand would have made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from trimtab.core.recipe import Recipe
from trimtab.trial.enact import Enactment

Loop = Callable[[float, float | None], list[Tensor]]  # a learning rate and a clipping threshold in, parameters out


def data() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    return x, 5 * x.sum(1, keepdim=True)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def clipped(parameters: list[Tensor], c: float | None) -> None:
    if c is not None:
        nn.utils.clip_grad_norm_(parameters, c)


def two_optimizers(lr: float, c: float | None) -> list[Tensor]:
    x, y = data()
    model = network()
    first: list[Tensor] = [*model[0].parameters()]
    last: list[Tensor] = [*model[2].parameters()]
    optimizers = torch.optim.SGD(first, lr=lr), torch.optim.Adam(last, lr=lr)
    for _ in range(5):
        loss = nn.functional.mse_loss(model(x), y)
        model.zero_grad()
        loss.backward()
        for parameters, optimizer in zip((first, last), optimizers, strict=True):
            clipped(parameters, c)
            optimizer.step()
    return first + last


def scheduled(lr: float, c: float | None) -> list[Tensor]:
    x, y = data()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[lr], total_steps=6, cycle_momentum=False)
    for _ in range(5):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        clipped(list(model.parameters()), c)
        optimizer.step()
        scheduler.step()
    return list(model.parameters())


def accumulated(lr: float, c: float | None) -> list[Tensor]:
    x, y = data()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(5):
        for part in range(4):
            loss = nn.functional.mse_loss(model(x[part::4]), y[part::4]) / 4
            loss.backward()
        clipped(list(model.parameters()), c)
        optimizer.step()
        optimizer.zero_grad()
    return list(model.parameters())


def scaled(lr: float, c: float | None) -> list[Tensor]:
    x, y = data()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for _ in range(5):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.mse_loss(model(x).float(), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        clipped(list(model.parameters()), c)
        scaler.step(optimizer)
        scaler.update()
    return list(model.parameters())


def with_closure(lr: float, c: float | None) -> list[Tensor]:
    x, y = data()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        clipped(list(model.parameters()), c)
        return loss

    for _ in range(3):
        optimizer.step(closure)
        optimizer.step(closure=closure)
    return list(model.parameters())


def under(recipe: str, loop: Loop, lr: float) -> tuple[list[Tensor], Enactment]:
    enactment = Enactment(Recipe.parse(recipe))
    enactment.install()
    try:
        return loop(lr, None), enactment
    finally:
        enactment.remove()


@pytest.mark.parametrize("loop", [two_optimizers, accumulated, scaled, with_closure])
def test_a_lower_learning_rate_is_the_one_that_a_hand_would_write(loop: Loop) -> None:
    treated, _ = under("lower-learning-rate=0.5", loop, 0.02)
    torch.testing.assert_close(treated, loop(0.01, None))


def test_a_schedule_starts_from_the_lower_rate() -> None:
    treated, _ = under("lower-learning-rate=0.5", scheduled, 0.02)
    plain, by_hand = scheduled(0.02, None), scheduled(0.01, None)
    assert not any(torch.equal(a, b) for a, b in zip(treated, plain, strict=True))
    torch.testing.assert_close(treated, by_hand)


@pytest.mark.parametrize("loop", [scheduled, accumulated, scaled, with_closure])
def test_clipping_stands_between_backward_and_step(loop: Loop) -> None:
    treated, _ = under("clip-by-norm=0.5", loop, 0.02)
    torch.testing.assert_close(treated, loop(0.02, 0.5))
