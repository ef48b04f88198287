"""match-loss: what the loss is given is made what it takes, where the two meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trimtab.core.recipe import Recipe
from trimtab.trial.enact import Enactment

LOGITS = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(0))


def under(recipe: str, work: Callable[[], Tensor]) -> tuple[Tensor, dict[str, str]]:
    enactment = Enactment(Recipe.parse(recipe))
    enactment.install()
    try:
        return work(), enactment.facts()
    finally:
        enactment.remove()


def same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", [lambda *given: F.cross_entropy(*given), nn.CrossEntropyLoss()], ids=["F", "nn"])
def test_probabilities_of_a_sequence_are_logits_again_where_the_loss_is_computed(loss: Callable[..., Tensor]) -> None:
    target = torch.arange(24).remainder(5).reshape(6, 4)
    value, facts = under("match-loss=softmax", lambda: loss(LOGITS.softmax(1), target))
    same(value, F.cross_entropy(LOGITS, target))
    assert facts["untested"] == ""


def test_arguments_by_name_and_evaluations_too() -> None:
    target = torch.tensor([0, 3])
    logits = LOGITS[:2, :, 0]
    with torch.no_grad():
        value, _ = under("match-loss", lambda: F.cross_entropy(input=logits.softmax(-1), target=target))
    same(value, F.cross_entropy(logits, target))


def test_a_likelihood_of_probabilities_without_a_logarithm() -> None:
    value, _ = under("match-loss=softmax", lambda: F.nll_loss(LOGITS[:, :, 0].softmax(1), torch.arange(6) % 5))
    same(value, F.cross_entropy(LOGITS[:, :, 0], torch.arange(6) % 5))


def test_a_sigmoid_before_a_loss_that_has_its_own() -> None:
    target = (LOGITS > 0.3).float()
    value, _ = under("match-loss=sigmoid", lambda: nn.BCEWithLogitsLoss()(LOGITS.sigmoid(), target))
    same(value, F.binary_cross_entropy_with_logits(LOGITS, target))


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_column_meets_a_row() -> None:
    value, _ = under("match-loss=squeeze", lambda: nn.MSELoss()(LOGITS[:, :1, 0], LOGITS[:, 1, 1]))
    same(value, F.mse_loss(LOGITS[:, 0, 0], LOGITS[:, 1, 1]))


def test_logits_are_left_alone_and_the_recipe_is_told_to_be_untested() -> None:
    target = torch.arange(6) % 5
    value, facts = under("match-loss=softmax", lambda: F.cross_entropy(LOGITS[:, :, 0], target))
    assert value.item() == F.cross_entropy(LOGITS[:, :, 0], target).item()
    assert "nothing of the kind" in facts["untested"]


def test_the_functions_are_torchs_own_again_afterwards() -> None:
    before: dict[str, Any] = {name: vars(F)[name] for name in ("cross_entropy", "mse_loss", "nll_loss")}
    under("match-loss", lambda: LOGITS)
    assert all(vars(F)[name] is function for name, function in before.items())
