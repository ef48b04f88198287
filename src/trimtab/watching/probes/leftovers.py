"""Whether a step uses gradients that were there before its own backward passes: `zero_grad` forgotten."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import LEFTOVER
from trimtab.watching.buffer import Buffer, on_host
from trimtab.watching.sites import Sites

SAMPLE = 4  # parameters of an optimizer that are asked: zero_grad clears all of them or none
SMALL = 1 << 16
BY_HAND = "the update by hand"


class Leftovers:
    """For each optimizer, whether its gradients were non-zero at the beginning of every backward since its last step.

    At every one: in a GAN the generator's backward finds the discriminator's old gradients, which are cleared before
    the discriminator's own.
    """

    def __init__(self, buffer: Buffer, sites: Sites) -> None:
        self._buffer, self._sites = buffer, sites
        self._kept: weakref.WeakKeyDictionary[Optimizer, Tensor | bool] = weakref.WeakKeyDictionary()

    def before_backward(self, optimizers: Iterable[Optimizer]) -> None:
        """A backward begins, on a step that is looked at."""
        for optimizer in optimizers:
            found = _nonzero(p for group in optimizer.param_groups for p in group["params"])
            before = self._kept.get(optimizer, True)
            self._kept[optimizer] = found if before is True else found & before

    def after_step(self, step: int, optimizer: Optimizer, site: int) -> None:
        """The optimizer has stepped."""
        kept = self._kept.pop(optimizer, None)
        if kept is not None:
            self._buffer.put(step, LEFTOVER, site, kept.float() if isinstance(kept, Tensor) else float(kept))

    def by_hand(self, step: int, params: Iterable[Tensor]) -> None:
        """A backward begins in a program that updates its weights itself."""
        found = _nonzero(params)
        site = self._sites.index("optimizer", BY_HAND, BY_HAND, line="")
        self._buffer.put(step, LEFTOVER, site, found.float() if isinstance(found, Tensor) else float(found))


def _nonzero(params: Iterable[Tensor]) -> Tensor | bool:
    """Whether a gradient of the sample holds anything but zeros; on a device, a tensor that says so."""
    grads = [p.grad for p in params if p.grad is not None and p.grad.numel()]
    grads = [g for g in grads if g.numel() <= SMALL] or grads
    chosen = grads[:: max(len(grads) // SAMPLE, 1)][:SAMPLE]
    found: Tensor | bool = False
    for gradient in chosen:
        values = gradient.detach()
        values = values._values() if values.is_sparse else values
        some = torch.count_nonzero(values) > 0
        found = found | (bool(some) if on_host(some) else some)
    return found
