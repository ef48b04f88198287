"""Tensors that are found in a table of addresses, and gone over block by block."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def begin(places, ROW: tl.constexpr, tensors, k, start, TYPE: tl.constexpr, RAGGED: tl.constexpr):
    """The place of element `start` of the tensor of row ROW and column k; known to be aligned where not RAGGED.

    The compiler knows of an address out of memory nothing, and would load element by element.
    """
    address = tl.load(places + ROW * tensors + k) + start * (TYPE.primitive_bitwidth // 8)
    if RAGGED:
        return address.to(tl.pointer_type(TYPE))
    else:
        return tl.multiple_of(address.to(tl.pointer_type(TYPE)), 16)


@triton.jit
def read(at, i, n, RAGGED: tl.constexpr):
    """The elements `i`; of a ragged end zeros from `n` on."""
    if RAGGED:
        return tl.load(at + i, mask=i < n, other=0)
    else:
        return tl.load(at + i)


@triton.jit
def write(at, i, n, x, RAGGED: tl.constexpr):
    """The elements `i` below `n`."""
    if RAGGED:
        tl.store(at + i, x, mask=i < n)
    else:
        tl.store(at + i, x)
