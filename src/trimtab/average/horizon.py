"""How far back an exponential moving average looks."""

from __future__ import annotations

import math


def horizon(alpha: float) -> float:
    """The effective window of an EMA: `1 / (1 − α)`, in observations; infinite for α = 1.

    The weights `(1−α) αʲ` have the mean age `horizon − 1`, and the newest `horizon` of them carry about `1 − 1/e`, 63 %
    of the whole. A box of `n = 2·horizon − 1` observations has the same mean age and, on independent noise, the same
    variance: `BoxAverage(n)` and `EMA(alpha_of((n + 1) / 2))` are as late and as smooth as each other.

    Raises:
        ValueError: α outside [0, 1].

    Differs from others: pandas' `span` is `2·horizon − 1`, its `com` is `horizon − 1`.

    >>> round(horizon(0.9), 12), round(horizon(0.999), 9)
    (10.0, 1000.0)
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"horizon: alpha={alpha!r}, expected from 0 to 1")
    return math.inf if alpha == 1 else 1 / (1 - alpha)


def alpha_of(horizon: float) -> float:
    """The α of an EMA with this effective window: `1 − 1/horizon`, the inverse of `horizon`.

    Args:
        horizon: in observations, from 1 (the last one only) to `math.inf` (all alike).

    Raises:
        ValueError: a horizon below 1.

    >>> alpha_of(10)
    0.9
    """
    if not horizon >= 1:
        raise ValueError(f"alpha_of: horizon={horizon!r}, expected at least 1 observation")
    return 1.0 if math.isinf(horizon) else (horizon - 1) / horizon
