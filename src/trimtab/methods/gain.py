"""The gain of an average made step by step, `a ← a + w_t (o_t − a)`: what tells the running mean from an EMA.

Plain numbers, no tensors: the charts of a report are smoothed by the same gain, and know nothing of torch.
"""

from __future__ import annotations

import math


def of_mean(t: int) -> float:
    """Running mean: `w_t = 1/t` for t = 1, 2, and so on.

    >>> of_mean(4)
    0.25
    """
    return 1 / t


def of_ema(alpha: float) -> float:
    """EMA from `s_0 = 0`: `w = 1 − α` at every step."""
    return 1 - alpha


def of_corrected_ema(alpha: float, log_unseen: float) -> float:
    """EMA divided by the weight of its observations: `w_t = (1 − α_t) / (1 − α_1 α_2 … α_t)`.

    From `c_t = s_t / (1 − αᵗ)` and `s_t = α s_{t−1} + (1−α) o_t`. The logarithm of the product, which is `t log α` for
    one α, is given, because `1 − αᵗ` cancels near α = 1 and `expm1` does not.

    >>> round(of_corrected_ema(0.9, 2 * math.log(0.9)), 4)
    0.5263
    """
    return (1 - alpha) / -math.expm1(log_unseen)
