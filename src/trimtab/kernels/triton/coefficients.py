"""What a step multiplies by, computed on the device from what the host need not know: counts, norms, schedules.

It is also where steps are counted or left out: where a gradient is not finite nothing is counted and nothing changed.
"""

# pyright: reportArgumentType=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl

from trimtab.kernels.triton.corrections import gain_of, power
from trimtab.kernels.triton.elementary import is_finite
from trimtab.kernels.triton.squares import together

# The numbers, in the order of plan.Values.
LR, BETA1, DAMPENING, BETA2, EPS, DECAY, BOUND, MAX_NORM, ALPHA, WARM = map(tl.constexpr, range(10))
# The coefficients of a tensor, in the type that it is computed in: see `descend.step_of_chunks`.
FACTOR, AND_FACTOR, LIMIT, COUPLED, SHRINK, KEEP, ENTER, EMA1, BETA, REST = map(tl.constexpr, range(10))
PER_WEIGHT, EPS_INSIDE, PER_ROOT, EPS_OUTSIDE, SIZE, GAIN = map(tl.constexpr, range(10, 16))
WIDTH = tl.constexpr(16)
SMALLEST = tl.constexpr(1e-30)  # a smaller factor is applied in two: float32 would round it, or make it 0
SLOTS = tl.constexpr(64)  # norms of groups that are read at a time


@triton.jit
def _is_skipped(found, norms, count, LOOKS: tl.constexpr):
    """Whether this step is to be left out: by a GradScaler, or because a norm is not finite."""
    bad = 0
    if found is not None:
        bad += (tl.load(found) != 0).to(tl.int32)
    if LOOKS:
        for at in range(0, count, SLOTS):
            i = at + tl.arange(0, SLOTS)
            norm = tl.load(norms + i, mask=i < count, other=0.0)
            bad += tl.sum((is_finite(norm) == 0).to(tl.int32), 0)
    return bad != 0


@triton.jit
def _counted(places, ROW: tl.constexpr, tensors, k, mask, TYPE: tl.constexpr, skip):
    """The number of this step of each tensor, from 1; counted unless it is left out."""
    at = tl.load(places + ROW * tensors + k, mask=mask, other=0).to(tl.pointer_type(TYPE))
    t = tl.load(at, mask=mask, other=0) + 1
    tl.store(at, t, mask=mask & (skip == 0))
    return t.to(tl.float64)


@triton.jit(do_not_specialize=["tensors", "count", "from_", "to", "leads", "reports"])
def prepare(coefs, flag, values, places, each, norms, scale, found, skipped, reported,
            tensors, count, from_, to, leads, reports,
            STEP: tl.constexpr, STEP_TYPE: tl.constexpr, AVERAGE_STEP: tl.constexpr, TYPE: tl.constexpr,
            CLIP: tl.constexpr, LOOKS: tl.constexpr, MAXIMIZE: tl.constexpr, DECOUPLED: tl.constexpr,
            CORRECT_VELOCITY: tl.constexpr, NESTEROV: tl.constexpr, CORRECT_SCALE: tl.constexpr,
            INSIDE: tl.constexpr, CENTRED: tl.constexpr, FORM: tl.constexpr, WARMS: tl.constexpr,
            BLOCK: tl.constexpr):  # fmt: skip
    """The coefficients of BLOCK tensors, and whether they are stepped at all."""
    k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = k < tensors
    first = tl.program_id(0) == 0
    skip = _is_skipped(found, norms, count, LOOKS)
    tl.store(flag, skip.to(tl.int32), mask=first)
    if skipped is not None:
        tl.store(skipped, tl.load(skipped) + 1, mask=first & (leads != 0) & skip)
    row = coefs + k * WIDTH

    unit = 1.0
    if scale is not None:
        unit = tl.load(scale).to(tl.float64)
    factor = 1 / unit + tl.zeros([BLOCK], tl.float64)
    if CLIP is not None:
        if CLIP == "each":
            norm = tl.load(each + k, mask=mask, other=0.0) / unit
            tl.store(reported + k, norm, mask=mask & (skip == 0))
        else:
            norm = together(norms, from_, to, SLOTS) / unit
            tl.store(reported, norm, mask=first & (reports != 0) & (skip == 0))
        most = tl.load(values + MAX_NORM)
        factor *= tl.where(norm <= most, 1.0, most / norm)  # NaN compares false: what cannot be judged is not short
    coarse = tl.maximum(factor, SMALLEST)
    sign = 1.0
    if MAXIMIZE:
        sign = -1.0
    tl.store(row + FACTOR, (sign * coarse).to(TYPE), mask=mask)
    tl.store(row + AND_FACTOR, (factor / coarse).to(TYPE), mask=mask)
    tl.store(row + LIMIT, tl.load(values + BOUND).to(TYPE), mask=mask)

    lr, decay = tl.load(values + LR), tl.load(values + DECAY)
    tl.store(row + COUPLED, decay.to(TYPE), mask=mask)
    shrink = lr * 0 + 1
    if DECOUPLED:
        shrink = 1 - lr * decay
    tl.store(row + SHRINK, shrink.to(TYPE), mask=mask)

    beta1, beta2, eps = tl.load(values + BETA1), tl.load(values + BETA2), tl.load(values + EPS)
    t = tl.zeros([BLOCK], tl.float64)
    if STEP >= 0:
        t = _counted(places, STEP, tensors, k, mask, STEP_TYPE, skip)
    size = lr + 0 * t
    if CORRECT_VELOCITY:
        size = lr / (1 - power(beta1, t + NESTEROV))
    tl.store(row + KEEP, beta1.to(TYPE), mask=mask)
    tl.store(row + ENTER, (1 - tl.load(values + DAMPENING)).to(TYPE), mask=mask)
    tl.store(row + EMA1, (1 - beta1).to(TYPE), mask=mask)
    tl.store(row + SIZE, size.to(TYPE), mask=mask)

    weight = 1 + 0 * t
    if CORRECT_SCALE:
        weight = 1 - power(beta2, t)
    tl.store(row + BETA, beta2.to(TYPE), mask=mask)
    tl.store(row + REST, (1 - beta2).to(TYPE), mask=mask)
    per_weight, per_root = 1 + 0 * t, 1 / tl.sqrt(weight)
    if INSIDE or CENTRED:
        per_weight, per_root = 1 / weight, 1 + 0 * t
    tl.store(row + PER_WEIGHT, per_weight.to(TYPE), mask=mask)
    tl.store(row + PER_ROOT, per_root.to(TYPE), mask=mask)
    inside, outside = eps * 0, eps
    if INSIDE:
        inside, outside = eps, eps * 0
    tl.store(row + EPS_INSIDE, inside.to(TYPE), mask=mask)
    tl.store(row + EPS_OUTSIDE, outside.to(TYPE), mask=mask)

    if AVERAGE_STEP >= 0:
        seen = _counted(places, AVERAGE_STEP, tensors, k, mask, tl.int64, skip)
        alpha = tl.load(values + ALPHA) + 0 * seen
        tl.store(row + GAIN, gain_of(seen, alpha, tl.load(values + WARM), FORM, WARMS).to(TYPE), mask=mask)
