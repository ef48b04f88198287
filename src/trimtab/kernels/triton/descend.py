"""The step itself: one launch over the chunks of all tensors, each read once and written once."""

# pyright: reportGeneralTypeIssues=false
# The language of the kernels is not quite Python: its types are known to its compiler only.
from __future__ import annotations

import triton
import triton.language as tl

from trimtab.kernels.triton import coefficients as c
from trimtab.kernels.triton.elementary import moved, ratio, root
from trimtab.kernels.triton.streams import begin, read, write


@triton.jit(do_not_specialize=["tensors"])
def step_of_chunks(flag, coefs, places, sizes, first, tensor, tensors,
                   VELOCITY: tl.constexpr, SQUARE: tl.constexpr, THIRD: tl.constexpr, AVERAGE: tl.constexpr,
                   ALIGNED: tl.constexpr, TYPE: tl.constexpr, WIDE: tl.constexpr, FORM: tl.constexpr,
                   NESTEROV: tl.constexpr, LARGEST: tl.constexpr, OF_SCALED: tl.constexpr, BOUNDED: tl.constexpr,
                   DECAYS: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """`w ← shrink w − size · direction / scale` of a chunk, with what is remembered of it.

    VELOCITY to AVERAGE are rows of the table, negative where this step does without. The parameters are the first row,
    of TYPE, their gradients the second; the others are WIDE, in which all is computed.
    """
    if tl.load(flag) == 0:
        pid = tl.program_id(0)
        k = tl.load(tensor + pid)
        start = (pid - tl.load(first + k)) * CHUNK
        n = tl.minimum(tl.load(sizes + k) - start, CHUNK)
        whole = tl.where(tl.load(places + ALIGNED * tensors + k) != 0, n // BLOCK, 0)
        own = coefs + k * c.WIDTH
        factor, and_factor, limit = tl.load(own + c.FACTOR), tl.load(own + c.AND_FACTOR), tl.load(own + c.LIMIT)
        coupled, shrink, size = tl.load(own + c.COUPLED), tl.load(own + c.SHRINK), tl.load(own + c.SIZE)
        keep, enter, ema1 = tl.load(own + c.KEEP), tl.load(own + c.ENTER), tl.load(own + c.EMA1)
        beta, rest = tl.load(own + c.BETA), tl.load(own + c.REST)
        per_weight, eps_inside = tl.load(own + c.PER_WEIGHT), tl.load(own + c.EPS_INSIDE)
        per_root, eps_outside = tl.load(own + c.PER_ROOT), tl.load(own + c.EPS_OUTSIDE)
        # Whole blocks of aligned tensors without a mask, in vectors; then what is left, element by element.
        for RAGGED in tl.static_range(2):
            w_at = begin(places, 0, tensors, k, start, TYPE, RAGGED)
            g_at = begin(places, 1, tensors, k, start, TYPE, RAGGED)
            v_at = begin(places, max(VELOCITY, 0), tensors, k, start, WIDE, RAGGED)
            s_at = begin(places, max(SQUARE, 0), tensors, k, start, WIDE, RAGGED)
            third_at = begin(places, max(THIRD, 0), tensors, k, start, WIDE, RAGGED)
            a_at = begin(places, max(AVERAGE, 0), tensors, k, start, WIDE, RAGGED)
            for b in range(whole if RAGGED else 0, tl.cdiv(n, BLOCK) if RAGGED else whole):
                i = b * BLOCK + tl.arange(0, BLOCK)
                w = read(w_at, i, n, RAGGED).to(WIDE)
                x = read(g_at, i, n, RAGGED).to(WIDE) * factor * and_factor
                if BOUNDED:  # NaN compares false and stays
                    x = tl.where(x > limit, limit, x)
                    x = tl.where(x < -limit, -limit, x)
                if DECAYS:
                    x += coupled * w
                if SQUARE >= 0:
                    q = beta * read(s_at, i, n, RAGGED) + rest * x * x
                    write(s_at, i, n, q, RAGGED)
                    if THIRD >= 0:
                        third = read(third_at, i, n, RAGGED)
                        third = tl.where(third >= q, third, q) if LARGEST else moved(third, x, rest)
                        write(third_at, i, n, third, RAGGED)
                        if LARGEST:
                            q = third
                    q *= per_weight
                    if THIRD >= 0 and not LARGEST:
                        q -= (third * per_weight) * (third * per_weight)
                        q = tl.where(q < 0, 0.0, q)  # rounding brings it there where the gradient hardly changes
                    scale = root(q + eps_inside) * per_root + eps_outside
                    if OF_SCALED:
                        x = ratio(x, scale)
                if VELOCITY >= 0:
                    v = read(v_at, i, n, RAGGED)
                    v = moved(v, x, ema1) if FORM == "ema" else keep * v + enter * x
                    write(v_at, i, n, v, RAGGED)
                    if NESTEROV:
                        x = keep * v + (ema1 * x if FORM == "ema" else x)
                    else:
                        x = v
                change = size * x
                if SQUARE >= 0 and not OF_SCALED:
                    change = ratio(change, scale)
                w = (w * shrink - change).to(TYPE)
                write(w_at, i, n, w, RAGGED)
                if AVERAGE >= 0:  # of the weights as they are kept, rounded
                    a = moved(read(a_at, i, n, RAGGED), w.to(WIDE), tl.load(own + c.GAIN))
                    write(a_at, i, n, a, RAGGED)
