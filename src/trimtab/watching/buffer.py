"""Measurements wait on their device and cross to the host together at a flush: no synchronisation on a step."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.core.signal import Signal


class Entry(NamedTuple):
    """A number or tensor on its way to `(value · scale)^power` at one site; a 1-dim one is worked on by the host."""

    step: int
    signal: str
    site: int
    value: Tensor | float
    scale: float
    power: float


class Buffer:
    """Device scalars with their places. `put` and `take` may run in different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def put(
        self, step: int, signal: Signal, site: int, value: Tensor | float, *, scale: float = 1.0, power: float = 1.0
    ) -> None:
        """Keep a number, or a tensor that owns its memory (the script may change in place what it was made from).

        A number on the host is read at once. Thousands of small tensors kept among the script's large ones would break
        up the heap: measured, they cost later steps 15 % and more.
        """
        if isinstance(value, Tensor) and value.dim() == 0 and on_host(value):
            value = value.item()
        entry = Entry(step, signal.name, site, value, scale, power)
        with self._lock:
            self._entries.append(entry)

    def take(self) -> list[Entry]:
        """Everything so far; the buffer is empty afterwards."""
        with self._lock:
            entries, self._entries = self._entries, []
        return entries


def on_host(value: Tensor) -> bool:
    """Whether a value can be read without waiting for a device."""
    return value.device.type == "cpu"


def to_host(entries: list[Entry]) -> list[NDArray[np.float64]]:
    """The values of the entries in their order, with one transfer per device."""
    values: list[NDArray[np.float64]] = [np.empty(0)] * len(entries)
    by_device: dict[torch.device, list[tuple[int, Tensor]]] = defaultdict(list)
    for i, entry in enumerate(entries):
        if isinstance(entry.value, Tensor):
            by_device[entry.value.device].append((i, entry.value.detach().reshape(-1)))
        else:
            values[i] = np.array([entry.value])
    with torch.no_grad():
        for group in by_device.values():
            # Numbers of any type join in double precision; pieces keep the sizes that they had.
            together = torch.cat([part.to(torch.float64) for _, part in group]).cpu().numpy()
            cuts = np.cumsum([part.numel() for _, part in group])[:-1]
            for (i, _), part in zip(group, np.split(together, cuts), strict=True):
                values[i] = part
    with np.errstate(all="ignore"):
        return [
            value if entry.scale == 1 and entry.power == 1 else (value * entry.scale) ** entry.power
            for entry, value in zip(entries, values, strict=True)
        ]
