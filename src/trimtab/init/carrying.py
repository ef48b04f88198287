"""Which tensor carries which signal: views share it, and in-place operations change it for all of them."""

from __future__ import annotations

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from trimtab.init.signals import Signal


class Carried:
    """The signal of every storage that is still there."""

    def __init__(self) -> None:
        self._signals: dict[int, tuple[StorageWeakRef, Signal]] = {}

    def get(self, tensor: Tensor) -> Signal | None:
        """The signal of a tensor, if it carries any."""
        kept = self._signals.get(storage_of(tensor) or -1)
        return kept[1] if kept is not None and not kept[0].expired() else None

    def put(self, tensor: Tensor, signal: Signal | None) -> None:
        """Make a tensor, and all that share its storage, carry a signal."""
        key = storage_of(tensor)
        if key is None:
            return
        if signal is None:
            self._signals.pop(key, None)
        else:
            self._signals[key] = (StorageWeakRef(tensor.untyped_storage()), signal)


def storage_of(tensor: Tensor) -> int | None:
    """Which memory a tensor lies in."""
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return None  # sparse and other tensors without one storage
