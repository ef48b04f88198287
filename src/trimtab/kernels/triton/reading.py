"""What the kernels can read of a tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.kernels.triton.step import TYPES


def is_readable(x: Tensor) -> bool:
    """Whether this is plain memory of a format that the kernels know; a lazy negation is not what is there."""
    return x.dtype in TYPES and x.layout == torch.strided and not x.is_neg()


def in_a_row(values: Tensor | None) -> Tensor | None:
    """One number behind the other."""
    return None if values is None else values.detach().resolve_neg().reshape(-1).contiguous()
