"""Whether a run learns: the level of each loss at the start and now, against its own noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimtab.core.signal import LOSS
from trimtab.core.trace import Floats, Ints, Site, Trace

ROBUST = 1.4826  # median absolute deviation to standard deviation, for normal noise


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one loss: `start` and `now` are levels, `noise` the sd of one value around its level."""

    site: Site
    steps: Ints
    values: Floats
    start: float
    now: float
    lowest: float
    noise: float

    @property
    def drop(self) -> float:
        """Share of the first level that is gone; negative when the loss has grown."""
        return (self.start - self.now) / max(abs(self.start), 1e-12)

    @property
    def certain(self) -> float:
        """The drop in standard errors of the two levels."""
        error = self.noise * np.sqrt(2 / _window(len(self.values)))
        return float((self.start - self.now) / max(error, 1e-12 * max(abs(self.start), 1e-30)))

    @property
    def learned(self) -> bool:
        """The loss has fallen: by a tenth, and by more than its noise explains."""
        return self.drop > 0.1 and self.certain > 3

    @property
    def relapsed(self) -> bool:
        """What had been learned is lost: the loss was down to a tenth of its start, and is back at half of it."""
        return 0 <= self.lowest < 0.1 * self.start and self.now > 0.5 * self.start

    @property
    def stalled(self) -> bool:
        """The loss stands where it began: less than 5 % below it, or no more than its noise explains."""
        return self.drop < 0.05 or self.certain < 2


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
            found.append(_course(site, at, values))
    return found


def _course(site: Site, steps: Ints, values: Floats) -> Course:
    k = _window(len(values))
    short = max(len(values) // 50, 5)  # for the lowest level: what is soon lost again must not drown in a long window
    levels = [float(np.median(values[i : i + short])) for i in range(0, len(values), short)]
    noise = float(ROBUST * np.median(np.abs(np.diff(values))) / np.sqrt(2)) if len(values) > 1 else 0.0
    # The very first values: a loss may fall fast, and its level at the start is what the untrained model gives.
    start = float(np.median(values[:3]))
    if values[0] > 0 and start > 1.2 * values[0]:
        start = float(values[0])  # the first steps have driven it up: they are not its start
    return Course(site, steps, values, start, float(np.median(values[-k:])), min(levels), noise)


def main_course(trace: Trace) -> Course | None:
    """The loss with most values: what the run is about."""
    return max(courses(trace), key=lambda course: len(course.values), default=None)


def adversarial(trace: Trace) -> bool:
    """Several optimizers, each with a loss of its own: a game, in which a loss may rise with nothing wrong."""
    return len(trace.of("optimizer")) > 1 and len(trace.of("loss")) > 1
