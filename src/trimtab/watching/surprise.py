"""Losses that stand out: the step is looked at though it was not its turn, for spikes are rare and looks are too."""

from __future__ import annotations

LEAST = 30  # losses before one can stand out; steps before that are looked at in any case
KEPT = 0.95  # of level and spread at each new loss
FAR = 8.0  # mean absolute deviations above the level
MOST = 24  # such looks in a run
APART = 8  # steps between them


class Surprise:
    """Level and spread of each loss, by moving averages, and whether a new value is far above them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, float, float]] = {}
        self._taken = 0
        self._last = -APART

    def stands_out(self, step: int, place: int, value: float) -> bool:
        """Whether this loss, at a place of the script, deserves a look; it is part of the level from then on."""
        count, level, spread = self._known.get(place, (0, value, 0.0))
        off = value - level
        out = count >= LEAST and off > FAR * spread > 0
        # A value that stands out is not what the next ones are to be held against.
        off = min(off, FAR * spread) if out else off
        kept = min(KEPT, 1 - 1 / (count + 1))
        self._known[place] = (count + 1, level + (1 - kept) * off, kept * spread + (1 - kept) * abs(off))
        if not out or self._taken >= MOST or step < self._last + APART:
            return False
        self._taken += 1
        self._last = step
        return True
