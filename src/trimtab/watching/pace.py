"""When to look: every step at the start, then as often as the budget allows, by the watcher's own clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

DENSE = 30  # steps looked at without gaps: most faults show at the start, and the script's owner is waiting there
MARGIN = 0.4  # share of the budget that is planned for: hook calls and cold caches cost what no clock here sees


GROWTH = 2.0  # however dear a look is, one is taken before the number of steps has doubled since the last
PAUSE = 64  # beyond the dense start, whether to look is decided after so small a part more of the steps
PAIRED = 3  # of so many looks beyond the dense start one is followed by another at the next step, for what changes
SHARE = 0.15  # of the budget is for looks even where the fixed cost of a step, some 20 µs, has used it up


class Pace:
    """Decides after each step whether the next is looked at. `budget` is a fraction of the training time."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.spent = 0.0  # seconds of watching; the watcher adds to it at every hook
        self._spent_dense = 0.0
        self._begun: float | None = None
        self._dense_end: float | None = None
        self._end: float | None = None
        self._looks = 0.0  # seconds spent on looks beyond the dense start
        self._last_look = 0
        self._look_cost = 0.0
        self._look_began = 0.0
        self._alone = 0  # looks since the last pair
        self.again = 0  # the step after which there is something to decide: to ask after each would cost a share itself

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Time spent inside is the watcher's own."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent += time.perf_counter() - began

    def begin(self) -> None:
        """The first forward or backward was seen: training time runs from here."""
        if self._begun is None:
            self._begun = time.perf_counter()

    def after_step(self, step: int, looked: bool) -> bool:
        """Whether to look at the next step. `step` is the number of steps done."""
        now = self._end = time.perf_counter()
        self.begin()
        if looked:
            cost = self.spent - self._look_began
            self._look_cost = cost if step > DENSE or not self._look_cost else 0.7 * self._look_cost + 0.3 * cost
            self._last_look = step
            self._looks += cost if step > DENSE else 0.0
        if step < DENSE:
            look = True
        else:
            if self._dense_end is None:
                self._dense_end, self._spent_dense = now, self.spent
            look = self._second(looked) or step >= GROWTH * self._last_look or self._affordable(now)
        self._look_began = self.spent
        self.again = step + 1 if look or step < DENSE else step + 1 + step // PAUSE
        return look

    def _second(self, looked: bool) -> bool:
        """Whether a look that has just been taken is to be followed by another at once."""
        if looked:
            self._alone = (self._alone + 1) % (PAIRED + 1)
        return looked and self._alone == PAIRED and self.budget > 0

    def _affordable(self, now: float) -> bool:
        """One more look keeps within the budget; while the dense start is not paid for, at half the rate."""
        assert self._begun is not None and self._dense_end is not None
        rate = self.budget * MARGIN
        if self.spent > self.budget * (now - self._begun):
            rate /= 2
        elapsed = now - self._dense_end
        fixed = self.spent - self._spent_dense - self._looks
        return self._looks + self._look_cost <= max(rate * elapsed - fixed, SHARE * self.budget * elapsed)

    @property
    def overhead(self) -> float:
        """Watching time over training time without it: beyond the dense start, or in all while that is all there is."""
        if self._begun is None or self._end is None:
            return 0.0
        if self._dense_end is not None and self._end > self._dense_end:
            spent, elapsed = self.spent - self._spent_dense, self._end - self._dense_end
        else:
            spent, elapsed = self.spent, self._end - self._begun
        return spent / max(elapsed - spent, 1e-9) if elapsed > 0 else 0.0

    @property
    def dense_seconds(self) -> float:
        """What the looks at the dense start cost, in seconds."""
        return self._spent_dense if self._dense_end is not None else self.spent
