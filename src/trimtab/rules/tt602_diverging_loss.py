"""TT602 diverging-loss."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, adversarial, courses
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Trace


class DivergingLoss(Rule):
    """The loss grows, or runs away below zero.

    What it measures: the level of each loss over the last tenth of the run against its level at the start, and against
    the noise of single values; and whether a loss that was down to a tenth of its start is back at half of it.

    Why it matters: a loss that grows is not being minimised: the steps overshoot, or the sign is wrong, or gradients of
    old steps are still added in.

    When it is wrong: in a game (GAN) one side's loss rises as the other's falls; with several optimizers and losses the
    rule is silent. Losses of either sign (policy gradients) are reported only when their size grows a hundredfold.

    Sources: clinic.
    """

    code = "TT602"
    name = "diverging-loss"
    needs = (LOSS,)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.ACTIVATION_SCALE,
        Cause.GRADIENT_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.SPIKES,
    )
    reveals = Cause.OBJECTIVE
    least_steps = 6
    limits = {
        "growth": Limit(1.5, "clinic", "level at the end over that at the start, for a loss that is never negative"),
        "runaway": Limit(100.0, "clinic", "the same for the size of a loss of either sign"),
        "certain": Limit(4.0, "clinic", "standard errors between the two levels"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for each loss that grows."""
        if adversarial(trace):
            return []
        return [finding for course in courses(trace) if (finding := self._check_course(course)) is not None]

    def _check_course(self, course: Course) -> Finding | None:
        # Against the first values' own spread: a loss that begins near 0 has grown a hundredfold after any step.
        size = max(abs(course.start), float(np.std(course.values[: max(len(course.values) // 20, 5)])), 1e-12)
        signed = bool((course.values < 0).any())
        growth = abs(course.now) / size
        if not signed and course.relapsed:
            return self._relapse(course)
        if (
            growth < self.limits["runaway" if signed else "growth"].value
            or abs(course.certain) < self.limits["certain"].value
        ):
            return None
        smooth = course.values
        level = course.start + 4 * course.noise if course.now > course.start else course.start - 4 * course.noise
        beyond = np.flatnonzero((smooth > level) if course.now > course.start else (smooth < level))
        since = int(course.steps[beyond[0]]) if beyond.size else int(course.steps[-1])
        way = "grows" if course.now > course.start else "runs away below zero"
        message = f"the loss at {course.site.name} {way}: from {course.start:.4g} to {course.now:.4g}"
        evidence: dict[str, Scalar] = {
            "start": course.start,
            "now": course.now,
            "growth": growth,
            "lowest": course.lowest,
        }
        return self.finding(Severity.FAIL, (course.site.name,), since, message, evidence, sureness=0.7)

    def _relapse(self, course: Course) -> Finding:
        lowest = int(np.argmin(course.values))
        again = np.flatnonzero(course.values[lowest:] > 0.5 * course.start)
        since = int(course.steps[lowest + (int(again[0]) if again.size else 0)])
        message = (
            f"the loss at {course.site.name} had come down from {course.start:.4g} to {course.lowest:.4g}"
            f" and is back at {course.now:.4g}, since about step {since}"
        )
        evidence: dict[str, Scalar] = {"start": course.start, "now": course.now, "lowest": course.lowest}
        return self.finding(Severity.FAIL, (course.site.name,), since, message, evidence, sureness=0.6)

    @staticmethod
    def sick() -> Trace:
        """A loss that doubles."""
        return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: np.linspace(2.3, 5, 60)})

    @staticmethod
    def healthy() -> Trace:
        """A noisy loss that ends a little above its start."""
        return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: 0.7 + 0.2 * np.sin(7.0 * np.arange(60)) ** 2})
