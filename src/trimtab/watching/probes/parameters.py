"""Gradients before and after clipping, weights, and the update that a step really made."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import torch
from torch import Tensor

from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS, SWALLOWED, UPDATE_RMS, WEIGHT_RMS, Signal
from trimtab.watching.buffer import Buffer
from trimtab.watching.probes.sample import WEIGHTS, spread_over, weights

HALF = (torch.float16, torch.bfloat16)
Placed = list[tuple[int, Tensor]]  # (parameter site, parameter)


def gradient_rms(
    buffer: Buffer, step: int, signal: Signal, placed: Iterable[tuple[int, Tensor]], factor: Tensor | None
) -> None:
    """RMS of every gradient in one multi-tensor pass; NaN and Inf show in it. `factor` is what a GradScaler applied.

    The squares are summed in the gradient's precision (half in single): a norm beyond 1.8e19 counts as not finite, as
    it does for clip_grad_norm_. Sums in double precision take six times as long.
    """
    assert signal in (GRAD_RMS, GRAD_USED_RMS)
    sites: list[int] = []
    grads: list[Tensor] = []
    for site, p in placed:
        gradient = p.grad
        if gradient is None:
            continue
        gradient = gradient.detach()
        gradient = gradient._values() if gradient.is_sparse else gradient
        if gradient.numel():
            sites.append(site)
            grads.append(torch.view_as_real(gradient) if gradient.is_complex() else gradient)
    for site, gradient, norm in zip(sites, grads, _norms(grads), strict=True):
        buffer.put(step, signal, site, norm if factor is None else norm / factor, scale=1 / sqrt(gradient.numel()))


def _norms(tensors: list[Tensor]) -> Iterable[Tensor]:
    """The 2-norm of each; half precision is summed in single, where its squares do not overflow."""
    if any(t.dtype in HALF for t in tensors):
        return [torch.linalg.vector_norm(t, dtype=torch.float32 if t.dtype in HALF else None) for t in tensors]
    return torch._foreach_norm(tensors) if tensors else []  # pyright: ignore[reportPrivateImportUsage]


def _wide(x: Tensor) -> Tensor:
    """At least single precision: a difference of half-precision weights would be rounded away."""
    return x if x.dtype == torch.float64 else x.float()


class UpdateProbe:
    """The difference of the weights over a step, from samples of them taken before and after."""

    def __init__(self) -> None:
        self._before: list[tuple[int, Tensor, Tensor]] = []

    def before(self, placed: Placed) -> None:
        """Remember a sample of the weights."""
        self._before = [(site, p, weights(p).clone()) for site, p in placed if p.numel() and not p.is_complex()]

    def before_closure(self, params: list[Tensor]) -> None:
        """Remember a sample of weights of which it is not known yet what they are called and which are updated."""
        self.before([(-1, p) for p in params])

    def after_closure(self, placed: Placed) -> None:
        """The weights that had a gradient, with their sites; the others are forgotten."""
        sites = {id(p): site for site, p in placed}
        self._before = [(sites[id(p)], p, old) for _, p, old in self._before if id(p) in sites]

    def after(self, buffer: Buffer, step: int, by_hand: bool = False) -> bool:
        """Measure against what is remembered, and forget it; returns False where by hand none has changed.

        A program that updates its weights by hand may make new tensors of them: the old ones have then not changed at
        all, and nothing was measured.
        """
        half = [
            (site, p, old)
            for site, p, old in self._before
            if p.dtype in HALF and weights(p).shape == old.shape and p.grad is not None and not p.grad.is_sparse
        ]
        kept = [(site, old, weights(p)) for site, p, old in self._before if p.numel() and weights(p).shape == old.shape]
        self._before = []
        old = [before for _, before, _ in kept]
        changes = [_wide(now) - _wide(before) for _, before, now in kept]
        if by_hand and not any(change.any() for change in changes):
            return False
        for (site, before, _), change, size in zip(kept, _norms(changes), _norms(old), strict=True):
            buffer.put(step, UPDATE_RMS, site, change, scale=1 / sqrt(before.numel()))
            buffer.put(step, WEIGHT_RMS, site, size, scale=1 / sqrt(before.numel()))
        for site, p, before in half:
            assert p.grad is not None
            meant = spread_over(p.grad.detach(), WEIGHTS) != 0
            left = (weights(p) == before) & meant
            buffer.put(step, SWALLOWED, site, left.sum() / meant.sum().clamp_min(1))
        return True

    @property
    def pending(self) -> bool:
        """Whether a sample waits for its other half."""
        return bool(self._before)
