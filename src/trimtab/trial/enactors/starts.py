"""Where the weights start: by the activation that follows each layer, each unit its own way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trimtab.init import initialize
from trimtab.trial.enactors.base import Enactor
from trimtab.trial.enactors.own_layers import start_own_layers

SEED = 20_240_229


class Initialize(Enactor):
    """`trimtab.init.initialize` on each model at its first call, by random numbers of its own."""

    names = ("initialize-by-activation", "break-symmetry")
    nothing_found = "no model with weights that can be started anew is called as a module: start them in the script"

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        if not any(p.requires_grad for p in model.parameters()):
            return
        before = [None if is_lazy(p) else p.detach().clone() for p in model.parameters()]
        generator = torch.Generator().manual_seed(SEED)
        state = torch.get_rng_state()
        try:
            initialize(model, _example(args), generator=generator)
        except Exception:
            # The model does not run on its first arguments alone: by the order of definition, then.
            initialize(model, generator=generator)
        finally:
            torch.set_rng_state(state)
        start_own_layers(model, _example(args), generator, zeros_too=self.change.name == "break-symmetry")
        now = zip(model.parameters(), before, strict=True)
        self.done += any(old is None or not torch.equal(p, old) for p, old in now)


def _example(args: tuple[Any, ...]) -> Any:
    """The first call's arguments, each feature of the data at mean 0 and sd 1: raw ones would decide the scale."""
    return tuple(_standard(x) if isinstance(x, Tensor) and x.is_floating_point() and x.dim() > 1 else x for x in args)


def _standard(x: Tensor) -> Tensor:
    axes = [0, *range(2, x.dim())] if x.dim() > 3 else list(range(x.dim() - 1))
    mean, sd = x.mean(axes, keepdim=True), x.std(axes, keepdim=True, correction=0)
    return torch.where(sd > 0, (x - mean) / sd.clamp_min(1e-8), x - mean)
