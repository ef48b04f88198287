"""What goes into a standardiser: tensors, NumPy arrays, numbers; and what comes out: the kind that went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

REAL = {"f": "float", "i": "integer", "u": "integer", "b": "boolean"}


def as_tensor(x: Any, where: str) -> Tensor:
    """A real tensor with the values of `x`; an integer NumPy array becomes float64, as NumPy itself would have it."""
    if isinstance(x, Tensor):
        tensor = x
    elif isinstance(x, np.ndarray):
        tensor = torch.from_numpy(_native(x, where))
    else:
        try:
            tensor = torch.as_tensor(x)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(f"{where}: got {type(x).__name__}; expected a tensor or a NumPy array ({error})") from error
    if tensor.is_complex():
        raise TypeError(f"{where}: got {tensor.dtype}; expected real values; standardise .real and .imag apart")
    if tensor.is_nested or tensor.layout != torch.strided:
        kind = "a nested tensor" if tensor.is_nested else f"a tensor of layout {tensor.layout}"
        raise TypeError(f"{where}: got {kind}; expected a dense one, as centring would fill it; give its values")
    return tensor


def like(result: Tensor, x: Any) -> Any:
    """`result` as a NumPy array where `x` was one."""
    return result.cpu().numpy() if isinstance(x, np.ndarray) else result


def _native(x: np.ndarray, where: str) -> np.ndarray:
    """The array in a form that torch can share: a float type that torch has, writable, contiguous."""
    if x.dtype.kind not in REAL:
        raise TypeError(f"{where}: got an array of {x.dtype}; expected real numbers; convert with x.astype(float)")
    known = x.dtype.kind == "f" and x.dtype.itemsize in (2, 4, 8)
    dtype = x.dtype.newbyteorder("=") if known else np.dtype(np.float64)
    return np.require(x, dtype=dtype, requirements=["C", "W"])
