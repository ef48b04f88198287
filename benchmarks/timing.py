"""Things that take turns, so that a drift of the machine falls on all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Side = Callable[[], object]


def medians(sides: Mapping[str, Side], rounds: int) -> dict[str, float]:
    """Seconds of each, in rotating order; the first round is not counted."""
    names: list[str] = list(sides)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for i in range(rounds + 1):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            began = time.perf_counter()
            sides[name]()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}
