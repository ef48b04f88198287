"""Whether the units of a weight are copies of each other, at the start and still."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from trimtab.core.signal import UNIT_SPREAD
from trimtab.watching.buffer import Buffer, on_host
from trimtab.watching.probes.sample import mean_square

UNITS = 64
ALIKE = 1e-4  # sd between units over RMS: random starts have about 1, single precision rounds to 1e-7


class UnitProbe:
    """Asks every weight once, and again and again only those whose units were alike."""

    def __init__(self) -> None:
        self._alike: dict[int, bool] = {}

    def read(
        self, buffer: Buffer, step: int, placed: list[tuple[int, Tensor]], blocks: Callable[[Tensor], int]
    ) -> None:
        """Measure weights of two and more dimensions; `blocks` tells how many gates a recurrent weight stacks."""
        for site, p in placed:
            if p.dim() < 2 or p.numel() == 0 or p.is_complex() or self._alike.get(site) is False:
                continue
            parts = p.detach().chunk(blocks(p))
            spreads = [spread for part in parts if (spread := _spread(part)) is not None]
            spread = torch.stack(spreads).max() if spreads else None
            if spread is None:
                self._alike[site] = False
                continue
            buffer.put(step, UNIT_SPREAD, site, spread)
            if on_host(spread):
                self._alike[site] = bool(spread < ALIKE)


def _spread(weight: Tensor) -> Tensor | None:
    """The smaller of the two ways to read a weight, [out, in, …] or [in, out]; None where it has one unit only."""
    spreads: list[Tensor] = []
    for axis in (0, 1):
        if weight.shape[axis] < 2:
            continue
        units = weight.movedim(axis, 0)[:UNITS].reshape(min(weight.shape[axis], UNITS), -1).float()
        scale = mean_square(units).clamp_min(1e-30)
        spreads.append((mean_square(units - units.mean(0)) / scale).sqrt())
    return None if weight.shape[0] < 2 or not spreads else torch.stack(spreads).min()
