"""Whether a run learns: the level of each loss at the start and now, against its own noise and a trivial predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimtab.core.signal import LOSS
from trimtab.core.trace import Floats, Ints, Site, Trace
from trimtab.core.trivial import trivial_loss

ROBUST = 1.4826  # median absolute deviation to standard deviation, for normal noise


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one loss: `start` and `now` are levels, `noise` the sd of one value around its level.

    `trivial` is what the best constant prediction would have, where that is known.
    """

    site: Site
    steps: Ints
    values: Floats
    start: float
    now: float
    lowest: float
    noise: float
    trivial: float | None = None

    @property
    def reference(self) -> float:
        """The level that learning is measured from: a start above the trivial predictor is no achievement to leave."""
        return self.start if self.trivial is None else min(self.start, self.trivial)

    @property
    def drop(self) -> float:
        """Share of the reference that is gone; negative when the loss has grown."""
        return (self.reference - self.now) / max(abs(self.reference), 1e-12)

    @property
    def certain(self) -> float:
        """The drop in standard errors of the two levels."""
        error = self.noise * np.sqrt(2 / _window(len(self.values)))
        return float((self.reference - self.now) / max(error, 1e-12 * max(abs(self.reference), 1e-30)))

    @property
    def tells(self) -> bool:
        """Whether the level means anything: a loss that swings about 0, as of a policy gradient, has none."""
        return bool((self.values >= 0).all() or abs(float(self.values.mean())) > 2 * float(self.values.std()))

    @property
    def learned(self) -> bool:
        """The loss has fallen: by a tenth, and by more than its noise explains."""
        return self.drop > 0.1 and self.certain > 3

    @property
    def learned_well(self) -> bool:
        """More than half of the loss is gone: whatever else is unusual does no harm."""
        return self.drop > 0.5 and self.certain > 3

    @property
    def sane(self) -> bool:
        """A start that is no sign of an exploded signal: standardised tasks begin below a hundred."""
        return abs(self.start) < 100 if self.trivial is None else self.start < 10 * self.trivial

    @property
    def well_started(self) -> bool:
        """It began soundly and most of the loss is gone: the start was good enough."""
        return self.sane and self.drop > 0.7 and self.certain > 3

    @property
    def relapsed(self) -> bool:
        """What had been learned is lost: the loss was down to a tenth of its start, and is back at half of it."""
        return 0 <= self.lowest < 0.1 * self.start and self.now > 0.5 * self.start

    @property
    def stalled(self) -> bool:
        """The loss stands where it began: less than 5 % below it, or no more than its noise explains."""
        return self.tells and (self.drop < 0.05 or self.certain < 2)


def _window(n: int) -> int:
    """How many values make a level: a tenth of the run, at least 3 (a level of 1 is noise) and at most 100."""
    return min(max(n // 10, 3), 100)


def courses(trace: Trace) -> list[Course]:
    """The course of every loss with at least 6 finite values, up to the first one that is not finite."""
    found: list[Course] = []
    losses, steps = trace[LOSS], trace.at(LOSS)
    for i, site in enumerate(trace.of("loss")):
        column = losses[:, i] if i < losses.shape[1] else np.empty(0)
        seen = ~np.isnan(column)
        values, at = column[seen], steps[seen]
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            values, at = values[: bad[0]], at[: bad[0]]
        if len(values) >= 6:
            found.append(_course(trace, site, at, values))
    return found


def _course(trace: Trace, site: Site, steps: Ints, values: Floats) -> Course:
    k = _window(len(values))
    short = max(len(values) // 50, 5)  # for the lowest level: what is soon lost again must not drown in a long window
    levels = [float(np.median(values[i : i + short])) for i in range(0, len(values), short)]
    noise = float(ROBUST * np.median(np.abs(np.diff(values))) / np.sqrt(2)) if len(values) > 1 else 0.0
    # The very first values: a loss may fall fast, and its level at the start is what the untrained model gives.
    start = float(np.median(values[:3]))
    if values[0] > 0 and start > 1.2 * values[0]:
        start = float(values[0])  # the first steps have driven it up: they are not its start
    now, trivial = float(np.median(values[-k:])), trivial_loss(trace, site.name)
    return Course(site, steps, values, start, now, min(levels), noise, trivial)


def main_course(trace: Trace) -> Course | None:
    """The loss with most values: what the run is about."""
    return max(courses(trace), key=lambda course: len(course.values), default=None)


def adversarial(trace: Trace) -> bool:
    """Several optimizers, each with a loss of its own: a game, in which a loss may rise with nothing wrong."""
    return len(trace.of("optimizer")) > 1 and len(trace.of("loss")) > 1
