"""Dead and saturated units, from the outputs that the graph keeps for the backward pass."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.core.signal import DEAD, OUT_SPREAD, SATURATED, STUCK, ZERO
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import Activation, saved
from trimtab.watching.probes.sample import examples, rows, variance_over_examples

DEAD_AFTER = (
    512  # examples in a row without a positive output: a unit active on 1 % of them is missed in 1 of 170 cases
)
FLAT = 0.05  # of the maximal slope
READ = frozenset({"relu", "sigmoid", "tanh"})


class ActivationProbe:
    """Keeps, for each ReLU-like site, how many examples each unit has been silent for."""

    def __init__(self) -> None:
        self._silent: dict[int, Tensor] = {}
        self._seen: dict[int, int] = {}

    def read(self, buffer: Buffer, step: int, site: int, activation: Activation) -> None:
        """Measure one activation from its saved tensor; nothing is kept of the tensor itself."""
        out = saved(activation.node, activation.saved)
        if out is None or out.numel() == 0 or activation.fn not in READ:
            return
        after = activation.after
        axis = 1 if after is not None and after.op == "conv" and out.dim() > 2 else -1
        x = examples(out if out.dim() > 1 else out[None])
        if activation.fn == "relu":
            self._relu(buffer, step, site, x, axis)
        else:
            self._sigmoid_like(buffer, step, site, x, axis, activation.fn)
        buffer.put(step, OUT_SPREAD, site, variance_over_examples(x.reshape(x.shape[0], -1).float()), power=0.5)

    def _relu(self, buffer: Buffer, step: int, site: int, x: Tensor, axis: int) -> None:
        positive = rows(~(x <= 0), axis)  # a NaN is another trouble than a silent unit
        buffer.put(step, ZERO, site, 1 - positive.float().mean())
        active = positive.any(0)
        n = x.shape[0]
        silent = self._silent.get(site)
        if silent is None or silent.shape != active.shape:
            silent, self._seen[site] = torch.zeros(active.shape, device=active.device), 0
        self._silent[site] = silent = torch.where(active, 0.0, silent + n)
        self._seen[site] += n
        if self._seen[site] >= DEAD_AFTER:
            buffer.put(step, DEAD, site, (silent >= DEAD_AFTER).float().mean())

    @staticmethod
    def _sigmoid_like(buffer: Buffer, step: int, site: int, x: Tensor, axis: int, fn: str) -> None:
        x = x.float()
        slope = 4 * x * (1 - x) if fn == "sigmoid" else 1 - x * x  # relative to the slope at 0
        flat = rows(slope < FLAT, axis)
        buffer.put(step, SATURATED, site, flat.float().mean())
        buffer.put(step, STUCK, site, flat.all(0).float().mean())
