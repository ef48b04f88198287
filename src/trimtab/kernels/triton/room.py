"""The memory on a device that the step of a table needs; allocated anew where the sizes of its tensors change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trimtab.kernels.triton.chunks import Chunks
from trimtab.kernels.triton.coefficients import WIDTH
from trimtab.kernels.triton.places import Places
from trimtab.kernels.triton.plan import Live
from trimtab.kernels.triton.squares import Lengths


@dataclass(frozen=True, eq=False)
class Room:
    """For a number of rows of tensors of given sizes, whose arithmetic is in `wide`.

    `flag` is not 0 where the step is left out; `coefficients` has a row for each tensor.
    """

    sizes: np.ndarray
    wide: torch.dtype
    chunks: Chunks
    places: Places
    live: Live
    lengths: Lengths
    flag: Tensor
    coefficients: Tensor

    @classmethod
    def of(cls, rows: int, sizes: np.ndarray, wide: torch.dtype, device: torch.device) -> Room:
        """New memory."""
        chunks = Chunks.of(sizes, device)
        return cls(
            sizes=sizes,
            wide=wide,
            chunks=chunks,
            places=Places(rows, len(sizes), device),
            live=Live(device),
            lengths=Lengths(chunks),
            flag=torch.zeros(1, dtype=torch.int32, device=device),
            coefficients=torch.empty(len(sizes), WIDTH.value, dtype=wide, device=device),
        )

    def serves(self, rows: int, sizes: np.ndarray, wide: torch.dtype, device: torch.device) -> bool:
        """Whether this is what `of` would make."""
        same = (self.places.rows, self.wide, self.flag.device) == (rows, wide, device)
        return same and np.array_equal(self.sizes, sizes)
