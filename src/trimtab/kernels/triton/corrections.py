"""Powers of the step's number, in float64: what biased averages are corrected by, and the gain of an unbiased one."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl

WARMUP = tl.constexpr(9)  # of trimtab.average.ema


@triton.jit
def power(x, t):
    """xᵗ of 0 ≤ x ≤ 1, t > 0."""
    return tl.exp(t * tl.log(x))


@triton.jit
def minus_expm1(x):
    """`1 − eˣ` of x < 0, which cancels near 0."""
    return tl.where(x > -1e-5, -x * (1 + x / 2 * (1 + x / 3)), 1 - tl.exp(x))


@triton.jit
def gain_of(t, alpha, warm, FORM: tl.constexpr, WARMS: tl.constexpr):
    """That of the t-th observation, as `trimtab.average.EMA.gain` has it: α as a tensor of t's shape."""
    kept = alpha
    if WARMS:
        kept = tl.minimum(alpha, t / (t + WARMUP))
    gain = 1 - kept
    if FORM == "corrected":
        cold = t
        unseen = 0 * t
        if WARMS:  # the product of k/(k + 9), k = 1 … n, is 1/C(n + 9, 9)
            warmed = tl.minimum(t, warm)
            cold = t - warmed
            for i in tl.static_range(1, 10):
                unseen -= tl.log((warmed + i) / i)
        unseen += tl.where(cold > 0, cold * tl.log(alpha), 0.0)
        gain = tl.where(unseen < 0, gain / minus_expm1(unseen), 1 / t)  # α = 1 is the mean of all
    if FORM != "plain":
        gain = tl.where(t == 1, 1.0, gain)
    return gain
