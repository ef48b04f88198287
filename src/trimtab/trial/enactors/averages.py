"""Evaluation by averaged weights: trained without them, evaluated with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trimtab.core.recipe import Change
from trimtab.methods.gain import of_corrected_ema
from trimtab.trial.enactors.base import Call, Enactor


class AverageWeights(Enactor):
    """The bias-corrected EMA of the weights is in the model in every forward pass in evaluation mode."""

    names = ("average-weights",)
    nothing_found = "no model is called in evaluation mode without gradient"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._decay = change.number(0.99)
        self._averages: dict[nn.Parameter, Tensor] = {}
        self._trained: dict[nn.Parameter, Tensor] = {}
        self._steps = 0

    def step_ends(self, optimizer: Optimizer) -> None:
        self._steps += 1
        gain = of_corrected_ema(self._decay, self._steps * float(torch.log(torch.tensor(self._decay))))
        for group in optimizer.param_groups:
            for p in group["params"]:
                average = self._averages.setdefault(p, p.detach().clone())
                average += gain * (p.detach() - average)

    def module_begins(self, call: Call) -> None:
        if not call.root or call.training or call.module.training:
            return
        for p in call.module.parameters():
            if p in self._averages:
                self._trained[p] = p.detach().clone()
                p.data.copy_(self._averages[p])
        self.done += bool(self._trained)

    def module_ends(self, call: Call) -> None:
        if call.root and self._trained:
            for p, value in self._trained.items():
                p.data.copy_(value)
            self._trained = {}
