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
        self._places: weakref.WeakKeyDictionary[Optimizer, list[int]] = weakref.WeakKeyDictionary()

    def before_backward(self, optimizers: Iterable[Optimizer]) -> None:
        """A backward begins, on a step that is looked at."""
        for optimizer in optimizers:
            chosen = _sample(_params(optimizer))
            found, before = _nonzero(chosen), self._kept.get(optimizer, True)
            self._kept[optimizer] = found if before is True else found & before
            self._places[optimizer] = _where(chosen)

    def after_step(self, step: int, optimizer: Optimizer, site: int) -> None:
        """The optimizer has stepped. Gradients that were put in the place of old ones hold nothing of them."""
        kept = self._kept.pop(optimizer, None)
        if kept is not None:
            same = _where(_sample(_params(optimizer))) == self._places.get(optimizer)
            kept = kept if same else False
            self._buffer.put(step, LEFTOVER, site, kept.float() if isinstance(kept, Tensor) else float(kept))

    def by_hand(self, step: int, params: Iterable[Tensor]) -> None:
        """A backward begins in a program that updates its weights itself."""
        found = _nonzero(_sample(params))
        site = self._sites.index("optimizer", BY_HAND, BY_HAND, line="")
        self._buffer.put(step, LEFTOVER, site, found.float() if isinstance(found, Tensor) else float(found))


def _params(optimizer: Optimizer) -> Iterable[Tensor]:
    return (p for group in optimizer.param_groups for p in group["params"])


def _sample(params: Iterable[Tensor]) -> list[Tensor]:
    """Gradients of a few parameters, small ones where there are any."""
    grads = [p.grad for p in params if p.grad is not None and p.grad.numel()]
    grads = [g for g in grads if g.numel() <= SMALL] or grads
    return grads[:: max(len(grads) // SAMPLE, 1)][:SAMPLE]


def _where(grads: list[Tensor]) -> list[int]:
    """Where in memory they lie: what is accumulated stays where it is."""
    return [(g._values() if g.is_sparse else g).data_ptr() for g in grads]


def _nonzero(grads: list[Tensor]) -> Tensor | bool:
    """Whether a gradient of the sample holds anything but zeros; on a device, a tensor that says so."""
    found: Tensor | bool = False
    for gradient in grads:
        values = gradient.detach()
        values = values._values() if values.is_sparse else values
        some = torch.count_nonzero(values) > 0
        found = found | (bool(some) if on_host(some) else some)
    return found
