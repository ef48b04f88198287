"""The length of a gradient, measured as it arrives, while it is in the cache; and whether it is the same later."""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native
from trimtab.kernels.layout import CODE, is_ours, layout
from trimtab.kernels.step import squares

# To measure a smaller one costs more in calls than reading it a second time.
LEAST = 1 << 17


class Measurement(NamedTuple):
    """A gradient's squared length, and what to know the gradient by."""

    gradient: weakref.ref[Tensor]
    version: int
    mark: int
    square: float

    def of(self, gradient: Tensor) -> float:
        """The squared length of this gradient; NaN where it is another one, or was changed since.

        Autograd counts what torch's operations change. What is changed behind its back, as by `p.grad.data.mul_(2)`,
        shows in some of the elements, from end to end.
        """
        same = self.gradient() is gradient and self.version == gradient._version
        return self.square if same and self.mark == _mark_of(gradient) else float("nan")


def measure(gradient: Tensor) -> Measurement | None:
    """The gradient's measurement; None where it is small or not for the native core."""
    if gradient.numel() < LEAST or gradient.dtype == torch.float64:
        return None
    if not is_ours(gradient) or layout(gradient, None) is None:
        return None
    n, code = gradient.numel(), native.DTYPES[gradient.dtype]
    end, place, square = array("q", [n]), array("q", [gradient.data_ptr()]), array("d", [0.0])
    parts = array("d", bytes(8 * (n // native.chunk() + 2)))
    places = (x.buffer_info()[0] for x in (end, place))
    results = (x.buffer_info()[0] for x in (parts, square))
    squares()(1, *places, code, 1.0, None, *results, native.threads())
    return Measurement(weakref.ref(gradient), gradient._version, _mark_of(gradient), square[0])


def _mark_of(gradient: Tensor) -> int:
    return _mark()(gradient.data_ptr(), gradient.numel(), native.DTYPES[gradient.dtype])


@cache
def _mark() -> Callable[..., Any]:
    return native.function("trimtab_mark", native.ADDRESS, native.INTEGER, CODE, result=ctypes.c_int64)
