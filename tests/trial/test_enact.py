"""A recipe at work in this process: nothing enacted is nothing changed, and what was enacted is undone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module
from torch.optim.optimizer import (
    Optimizer,
    _global_optimizer_post_hooks,
    _global_optimizer_pre_hooks,
)
from torch.utils.data import DataLoader, TensorDataset

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe
from trimtab.trial.enact import Enactment

HOOKS = (
    module._global_forward_pre_hooks,
    module._global_forward_hooks,
    _global_optimizer_pre_hooks,
    _global_optimizer_post_hooks,
)


def train(lr: float = 0.1, scale: float = 1.0) -> tuple[list[float], Optimizer, list[Tensor]]:
    """Losses, the optimizer and the parameters of a small regression whose inputs are `scale` times too large."""
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    data = TensorDataset(x * scale, x.sum(1, keepdim=True))
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses: list[float] = []
    for _ in range(5):
        for inputs, targets in DataLoader(data, batch_size=16):
            optimizer.zero_grad()
            loss = (model(inputs) - targets).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, optimizer, [p.detach().clone() for p in model.parameters()]


def under(recipe: str, **how: float) -> tuple[list[float], Optimizer, list[Tensor]]:
    enactment = Enactment(Recipe.parse(recipe) if recipe else Recipe())
    enactment.install()
    try:
        return train(**how)
    finally:
        enactment.remove()


def test_enacting_nothing_is_the_plain_run_to_the_last_bit() -> None:
    plain, bare = train(), under("")
    assert plain[0] == bare[0]
    assert all(torch.equal(a, b) for a, b in zip(plain[2], bare[2], strict=True))


@pytest.mark.parametrize(
    "recipe",
    [
        "standardize-inputs",
        "clip-by-norm=1.0",
        "scale-each-coordinate",
        "replace-activation",
        "lower-learning-rate=0.1",
        "add-momentum=0.9",
        "normalize-layers",
        "warm-up=10",
    ],
)
def test_what_was_enacted_is_undone(recipe: str) -> None:
    before = [dict(hooks) for hooks in HOOKS], Optimizer.__init__, DataLoader.__init__, nn.utils.clip_grad_norm_
    plain = train(scale=10.0)
    treated = under(recipe, scale=10.0)
    assert treated[0] != plain[0]
    assert (
        [dict(hooks) for hooks in HOOKS],
        Optimizer.__init__,
        DataLoader.__init__,
        nn.utils.clip_grad_norm_,
    ) == before
    again = train(scale=10.0)
    assert again[0] == plain[0]
    assert all(torch.equal(a, b) for a, b in zip(again[2], plain[2], strict=True))


def test_standardized_inputs_make_their_scale_irrelevant() -> None:
    small, large = under("standardize-inputs", scale=1.0)[0], under("standardize-inputs", scale=1000.0)[0]
    assert large == pytest.approx(small, rel=1e-3)


def test_the_learning_rate_is_scaled_where_the_optimizer_is_made() -> None:
    assert under("lower-learning-rate=0.1")[0] == pytest.approx(train(lr=0.01)[0], rel=1e-6)


def test_an_unknown_change_is_refused_by_name() -> None:
    with pytest.raises(TrimtabError, match="stand-on-head"):
        Enactment(Recipe.parse("stand-on-head"))
