"""Gated recurrences in the place of plain ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Enactor
from trimtab.trial.enactors.starts import SEED

LONGEST = 50.0  # steps that the slowest units are to remember at the start


class GateThroughTime(Enactor):
    """`nn.GRU` for every `nn.RNN` of a model, and `nn.GRUCell` for `nn.RNNCell`: they are called alike.

    An optimizer that holds the old weights is given the new ones in their place.
    """

    names = ("gate-through-time",)
    nothing_found = "no nn.RNN or nn.RNNCell was found inside a model: write the recurrence as a GRU or LSTM"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._instead: dict[int, list[nn.Parameter]] = {}  # by the first weight of the old one; the others go
        self._gone: list[nn.Parameter] = []
        self._optimizers: list[Optimizer] = []

    def optimizer_made(self, optimizer: Optimizer) -> None:
        self._optimizers.append(optimizer)

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        new: dict[int, nn.Module | None] = {}  # one for each, in however many places it stands
        for parent in list(model.modules()):
            for name, child in list(parent._modules.items()):
                if child is None:
                    continue
                if id(child) not in new:
                    new[id(child)] = self._replaced(child)
                if (gated := new[id(child)]) is not None:
                    setattr(parent, name, gated)
                    self.done += 1
        for optimizer in self._optimizers:
            self._hand_over(optimizer)

    def _replaced(self, child: nn.Module) -> nn.Module | None:
        gated = _gated(child)
        if gated is not None:
            old = list(child.parameters())
            self._instead[id(old[0])] = list(gated.requires_grad_(old[0].requires_grad).parameters())
            self._gone += old
        return gated

    def _hand_over(self, optimizer: Optimizer) -> None:
        gone = {id(p) for p in self._gone}
        for group in optimizer.param_groups:
            kept = [self._instead.get(id(p), [] if id(p) in gone else [p]) for p in group["params"]]
            group["params"] = [p for params in kept for p in params]


def _gated(module: nn.Module) -> nn.Module | None:
    """A new one of the same shape; what it is made of comes from random numbers of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)  # torch.manual_seed would seed every device
        if isinstance(module, nn.RNNCell):
            new: nn.Module = nn.GRUCell(module.input_size, module.hidden_size, module.bias)
        elif isinstance(module, nn.RNN):
            new = nn.GRU(
                module.input_size,
                module.hidden_size,
                module.num_layers,
                module.bias,
                module.batch_first,
                module.dropout,
                module.bidirectional,
            )
        else:
            return None
        _remember(new)
    first = next(module.parameters())
    return new.to(first.device, first.dtype).train(module.training)


@torch.no_grad()
def _remember(gated: nn.Module) -> None:
    """Update gates start at log u, u from 1 to LONGEST − 1: units keep their state so many steps (arXiv:1804.11188)."""
    for name, bias in gated.named_parameters():
        if name.startswith("bias_hh"):
            n = len(bias) // 3  # stored as reset, update, new
            bias[n : 2 * n] = torch.empty(n).uniform_(1, LONGEST - 1).log()
