"""What the kernels have in common, one element at a time; rounded as IEEE has it, where Triton would approximate."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def root(x):
    """`√x`."""
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


@triton.jit
def ratio(x, y):
    """`x / y`, both of one type."""
    if x.dtype == tl.float64:
        return x / y
    else:
        return tl.div_rn(x, y)


@triton.jit
def moved(a, x, gain):
    """`a + gain (x − a)`, where the gain is a half or more from the other end: exactly x at gain = 1."""
    near = gain < 0.5
    return tl.where(near, a, x) + tl.where(near, gain, gain - 1) * (x - a)


@triton.jit
def is_finite(x):
    """Neither infinite nor NaN."""
    return x - x == 0
