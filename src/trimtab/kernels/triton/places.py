"""The addresses of a table's tensors in the memory of the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trimtab.kernels.triton.presence import capturing

VECTOR = 16  # bytes that a thread loads at once, from addresses that are multiples of it


class Places:
    """Addresses [rows + 1, tensors], int64; the last row says of each tensor whether all of its rows are aligned."""

    def __init__(self, rows: int, tensors: int, device: torch.device) -> None:
        self.rows, self.tensors = rows, tensors
        self.table = torch.empty(rows + 1, tensors, dtype=torch.int64, device=device)
        self._known: np.ndarray | None = None
        self._captured: list[Tensor] = []  # host memory that graphs copy from
        self._spare: Tensor | None = None

    def set(self, addresses: np.ndarray, numbers: int) -> bool:
        """Brings them over where they have changed; those of the last `numbers` rows are of single numbers.

        A graph copies its own addresses at each replay, from host memory that nobody else writes. That cannot be had
        during a capture: False where no step outside of one has provided for it since the last.
        """
        if capturing():
            if self._spare is None:
                return False
            self._captured.append(self._spare)
            self._spare = None
            self._copy(self._captured[-1], addresses, numbers)
            return True
        if self._spare is None:
            self._spare = self._host()
        if self._captured or self._known is None or not np.array_equal(addresses, self._known):
            self._copy(self._host(), addresses, numbers)
            self._known = addresses
        return True

    def _copy(self, host: Tensor, addresses: np.ndarray, numbers: int) -> None:
        rows = host.numpy()
        rows[:-1] = addresses
        rows[-1] = (addresses[: self.rows - numbers] % VECTOR == 0).all(0)
        self.table.copy_(host, non_blocking=True)  # the allocator gives this memory to nobody before it is read

    def _host(self) -> Tensor:
        pinned = self.table.device.type == "cuda"
        return torch.empty(self.table.shape, dtype=torch.int64, pin_memory=pinned)
