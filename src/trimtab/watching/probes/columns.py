"""How unequal the gradients of a weight are from input to input: one learning rate must suit them all."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from trimtab.core.signal import COLUMN_SPREAD
from trimtab.watching.buffer import Buffer

MOST = 1 << 14  # inputs of one weight that are told apart
LARGEST = 1 << 22  # numbers in a weight: beyond, a pass over its gradient costs too much
HIGH, LOW = 0.9, 0.1


class ColumnProbe:
    """Sums the squared gradient of each input over the looks: a rare token shows in few of them."""

    def __init__(self) -> None:
        self._sums: dict[int, Tensor] = {}

    def read(
        self,
        buffer: Buffer,
        step: int,
        placed: list[tuple[int, Tensor]],
        axis_of: Callable[[Tensor], int | None],
    ) -> None:
        """Take in the gradients of one step."""
        for site, p in placed:
            axis = axis_of(p)
            if axis is None or p.grad is None or p.grad.is_sparse or p.is_complex() or p.numel() > LARGEST:
                continue
            if not 2 <= p.shape[axis] <= MOST:
                continue
            others = [d for d in range(p.dim()) if d != axis]
            power = p.grad.detach().float().square().mean(others)
            before = self._sums.get(site)
            total = power if before is None or before.shape != power.shape else before + power
            self._sums[site] = total
            buffer.put(step, COLUMN_SPREAD, site, _spread(total))


def _spread(power: Tensor) -> Tensor:
    """High over low quantile of the RMS, of the inputs that had any gradient."""
    ordered = power.sort().values
    least = (ordered <= 0).sum()
    last = ordered.numel() - 1
    low = least + ((last - least).clamp_min(0) * LOW).long()
    high = least + ((last - least).clamp_min(0) * HIGH).long()
    ends = ordered[torch.stack([low, high]).clamp_max(last)]
    return (ends[1] / ends[0].clamp_min(1e-38)).sqrt().clamp_max(1e6)
