"""initialize-by-activation on layers that the script has written itself."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from trimtab.core.recipe import Recipe
from trimtab.trial.enact import Enactment


class Scaled(nn.Module):
    """A layer of its own, with a factor that no initialiser knows of."""

    def __init__(self, n_in: int, n_out: int, sd: float, factor: float) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(n_out, n_in) * sd)
        self.shift = nn.Parameter(torch.zeros(n_out))
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.matrix * self.factor).T + self.shift


def started(model: nn.Module, x: Tensor) -> dict[str, str]:
    enactment = Enactment(Recipe.parse("initialize-by-activation"))
    enactment.install()
    try:
        model(x)
        return enactment.facts()
    finally:
        enactment.remove()


def test_a_layer_of_the_scripts_own_is_brought_to_unit_output() -> None:
    x = torch.randn(256, 64, generator=torch.Generator().manual_seed(0))
    layer = Scaled(64, 128, 1.0, 8.0)
    model = nn.Sequential(layer, nn.Tanh(), Scaled(128, 10, 1.0, 11.0))
    assert started(model, x)["untested"] == ""
    first = layer(x)
    assert float(first.detach().square().mean().sqrt()) == pytest.approx(1.0, rel=0.05)
    assert float(model(x).detach().square().mean().sqrt()) == pytest.approx(1.0, rel=0.05)


def test_one_that_is_near_xaviers_scale_is_the_scripts_own_choice() -> None:
    layer = Scaled(64, 64, 1 / 8, 1.0)
    before = layer.matrix.detach().clone()
    assert "no model with weights" in started(nn.Sequential(layer, nn.Tanh()), torch.randn(8, 64))["untested"]
    assert torch.equal(before, layer.matrix)


def test_a_frozen_matrix_stays_and_random_numbers_go_on_as_they_would() -> None:
    layer = Scaled(64, 64, 5.0, 1.0)
    model = nn.Sequential(layer, nn.Tanh(), nn.Linear(64, 4))
    layer.matrix.requires_grad_(False)
    before = layer.matrix.detach().clone()
    torch.manual_seed(5)
    started(model, torch.randn(8, 64))
    drawn = torch.rand(3)
    torch.manual_seed(5)
    torch.randn(8, 64)
    assert torch.equal(before, layer.matrix) and torch.equal(drawn, torch.rand(3))
    assert not math.isnan(float(model(torch.randn(2, 64)).detach().sum()))


class HandWritten(nn.Module):
    """A recurrence whose matrix shrinks the state."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Parameter(torch.randn(4, 16) / 2)
        self.carry = nn.Parameter(0.2 * torch.eye(16))

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), 16)
        for t in range(x.shape[1]):
            h = torch.tanh(x[:, t] @ self.enter + h @ self.carry)
        return h


def test_a_square_matrix_that_lets_a_state_fade_is_made_orthogonal() -> None:
    model = HandWritten()
    enter = model.enter.detach().clone()
    assert started(model, torch.randn(8, 10, 4))["untested"] == ""
    torch.testing.assert_close(model.carry @ model.carry.T, torch.eye(16), atol=1e-5, rtol=0)
    assert torch.equal(model.enter, enter)
