"""How much of a minibatch gradient is noise: successive gradients agree in their mean and in nothing else."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import GRADIENT_DOT, GRADIENT_POWER
from trimtab.watching.buffer import Buffer
from trimtab.watching.probes.sample import spread_over

PER_PARAMETER = 1 << 11
PARAMETERS = 64


class NoiseProbe:
    """Keeps a sample of the last gradient of one optimizer, the first that steps.

    E[g₁·g₂] = ‖G‖² for the gradients of two independent batches at nearly the same weights, E‖g‖² = ‖G‖² + tr Σ / B.
    """

    def __init__(self) -> None:
        self._of: weakref.ref[Optimizer] | None = None
        self._last: tuple[int, Tensor] | None = None

    def read(self, buffer: Buffer, step: int, site: int, optimizer: Optimizer) -> None:
        """The gradient that the step is about to use."""
        if self._of is None:
            self._of = weakref.ref(optimizer)
        if self._of() is not optimizer:
            return
        params = [p for group in optimizer.param_groups for p in group["params"] if _dense(p)]
        chosen = params[:: max(len(params) // PARAMETERS, 1)]
        if not chosen:
            return
        device = chosen[0].device
        sample = torch.cat([_sample(p) for p in chosen if p.device == device])
        buffer.put(step, GRADIENT_POWER, site, sample @ sample)
        if self._last is not None:
            before, last = self._last
            if before == step - 1 and last.shape == sample.shape and last.device == sample.device:
                buffer.put(step, GRADIENT_DOT, site, sample @ last)
        self._last = (step, sample)


def _dense(p: Tensor) -> bool:
    return p.grad is not None and not p.grad.is_sparse and not p.is_complex() and p.numel() > 0


def _sample(p: Tensor) -> Tensor:
    assert p.grad is not None
    return spread_over(p.grad.detach(), PER_PARAMETER).float()
