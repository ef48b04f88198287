"""gate-through-time: a plain recurrence of a model becomes a gated one, in its optimizer too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trimtab.core.recipe import Recipe
from trimtab.trial.enact import Enactment


class Reader(nn.Module):
    """Reads the last state of a recurrent network."""

    def __init__(self, cell: bool) -> None:
        super().__init__()
        self.rnn: nn.Module = nn.RNNCell(3, 8) if cell else nn.RNN(3, 8, num_layers=2, batch_first=True)
        self.out = nn.Linear(8, 1)
        self.by_cell = cell

    def forward(self, x: Tensor) -> Tensor:
        if not self.by_cell:
            return self.out(self.rnn(x)[0][:, -1])
        h = x.new_zeros(len(x), 8)
        for t in range(x.shape[1]):
            h = self.rnn(x[:, t], h)
        return self.out(h)


def trained(cell: bool, recipe: str) -> tuple[Reader, torch.optim.Optimizer, dict[str, str], Tensor]:
    """After three steps; with the next random number of the script."""
    enactment = Enactment(Recipe.parse(recipe) if recipe else Recipe())
    enactment.install()
    try:
        torch.manual_seed(0)
        model = Reader(cell)
        optimizer = torch.optim.Adam(
            [{"params": model.rnn.parameters()}, {"params": model.out.parameters(), "lr": 0.1}], lr=0.01
        )
        x = torch.randn(16, 5, 3)
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
        return model, optimizer, enactment.facts(), torch.rand(3)
    finally:
        enactment.remove()


def test_it_is_gated_and_trained_with_the_rate_of_the_old_one() -> None:
    for cell, kind in ((True, nn.GRUCell), (False, nn.GRU)):
        model, optimizer, facts, drawn = trained(cell, "gate-through-time")
        assert facts["untested"] == "" and isinstance(model.rnn, kind)
        held = [{id(p) for p in group["params"]} for group in optimizer.param_groups]
        assert held == [{id(p) for p in part.parameters()} for part in (model.rnn, model.out)]
        assert all(optimizer.state[p]["step"] == 3 for p in model.parameters())
        assert torch.equal(drawn, trained(cell, "")[3])


def test_update_gates_keep_the_state_at_the_start() -> None:
    enactment = Enactment(Recipe.parse("gate-through-time"))
    enactment.install()
    try:
        model = Reader(cell=True)
        model(torch.randn(2, 3, 3))
    finally:
        enactment.remove()
    bias = model.rnn.get_parameter("bias_hh").detach()[8:16]
    assert bool((bias >= 0).all()) and 1 < float(bias.max()) < 4


def test_a_model_without_one_is_told() -> None:
    enactment = Enactment(Recipe.parse("gate-through-time"))
    enactment.install()
    try:
        nn.Sequential(nn.Linear(3, 3))(torch.randn(2, 3))
    finally:
        enactment.remove()
    assert "no nn.RNN" in enactment.facts()["untested"]
