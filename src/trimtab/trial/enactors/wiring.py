"""Parameters that the script forgot to give to its optimizer, and the mode that a model should be in."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Call, Enactor


class OptimizeAllParameters(Enactor):
    """Parameters of called modules that have a gradient and no optimizer are given to the one that steps."""

    names = ("optimize-all-parameters",)
    nothing_found = "no parameter of a module was without an optimizer"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._params: dict[int, nn.Parameter] = {}
        self._held: set[int] = set()
        self._added: list[dict[str, Any]] = []

    def module_begins(self, call: Call) -> None:
        if call.training:
            self._params |= {id(p): p for p in call.module.parameters(recurse=False)}

    def optimizer_made(self, optimizer: Optimizer) -> None:
        self._held |= {id(p) for group in optimizer.param_groups for p in group["params"]}

    def step_begins(self, optimizer: Optimizer) -> None:
        self.optimizer_made(optimizer)
        lost = [
            p for key, p in self._params.items() if key not in self._held and p.requires_grad and p.grad is not None
        ]
        if lost:
            optimizer.add_param_group({"params": lost})
            self._added.append(optimizer.param_groups[-1])
            self._held |= {id(p) for p in lost}
            self.done += 1
        for group in self._added:
            group["lr"] = optimizer.param_groups[0]["lr"]  # a scheduler does not know of it

    def step_ends(self, optimizer: Optimizer) -> None:
        for group in self._added:
            for p in group["params"]:
                p.grad = None  # the script's zero_grad may not reach it


class SetMode(Enactor):
    """Training mode in forward passes with gradient, evaluation mode in those without."""

    names = ("set-mode",)
    nothing_found = "every model was called in the right mode"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._flags: dict[int, dict[nn.Module, bool]] = {}
        self._restore: nn.Module | None = None

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        on = any(part.training for part in model.modules())
        self._flags[id(model)] = {part: part.training if on else True for part in model.modules()}

    def module_begins(self, call: Call) -> None:
        flags = self._flags.get(id(call.module))
        if not call.root or flags is None:
            return
        if call.training and not call.module.training:
            for part, flag in flags.items():
                part.training = flag
            self.done += 1
        elif not call.training and call.module.training and not torch.is_grad_enabled():
            call.module.eval()
            self._restore = call.module
            self.done += 1

    def module_ends(self, call: Call) -> None:
        if call.root and self._restore is call.module:
            for part, flag in self._flags[id(call.module)].items():
                part.training = flag
            self._restore = None
