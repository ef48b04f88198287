"""Tensors of any sizes cut in chunks of one size, so that one launch goes over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

CHUNK = (
    16384  # elements of a program: enough to hide the loads that find its tensor, few enough to spread small tensors
)
BLOCK = 1024  # elements that it takes at a time: four of a thread, so that float32 and bfloat16 lie alike in threads
WARPS = 8


@dataclass(frozen=True, eq=False)
class Chunks:
    """The chunk map, on the device: which tensor a chunk is of, and which is the first chunk of a tensor.

    `sizes` are the tensors', int64; `first` has one number more than there are tensors, int64; `tensor` is int32.
    """

    sizes: Tensor
    first: Tensor
    tensor: Tensor

    @classmethod
    def of(cls, sizes: np.ndarray, device: torch.device) -> Chunks:
        """Of tensors of these sizes; one without elements has no chunk."""
        counts = -(-sizes // CHUNK)
        first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        tensor = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
        return cls(*(torch.from_numpy(part).to(device) for part in (sizes, first, tensor)))

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return len(self.tensor)
