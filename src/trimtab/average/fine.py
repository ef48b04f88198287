"""Float32 averages of weights that are kept in less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from trimtab.average.tree import lifted


class FineAverages(nn.Module):
    """Stand-ins in float32 for tensors of fewer bits; they move with the module they are in and stay out of its state.

    An EMA of α = 0.999 moves by a thousandth of the distance, and bfloat16 knows no step below 1/256 of a number.
    """

    def instead_of(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The same list of tensors, with a stand-in, made when it is first asked for, where one is needed."""
        return [self._instead_of(str(i), tensor) for i, tensor in enumerate(tensors)]

    def _instead_of(self, name: str, tensor: Tensor) -> Tensor:
        average = lifted(tensor)
        if average.dtype == tensor.dtype or not (tensor.is_floating_point() or tensor.is_complex()):
            self._buffers.pop(name, None)  # the model has been converted to a precision that needs none
            return tensor
        if name not in self._buffers:
            self.register_buffer(name, average, persistent=False)
        return self.get_buffer(name)

    def _apply(self, fn: Any, recurse: bool = True) -> FineAverages:
        """Moves go along; a conversion to fewer bits does not."""
        for name, average in self.named_buffers():
            made = fn(average)
            self._buffers[name] = made if lifted(made).dtype == made.dtype else average.to(made.device)
        return self
