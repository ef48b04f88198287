"""TT401 learning-rate-too-high."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LEARNING_RATE, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._learning import Course, adversarial, main_course
from trimtab.rules._updates import typical_ratio, update_ratios


class LearningRateTooHigh(Rule):
    """The updates are so large that the loss oscillates or diverges.

    What it measures: RMS(update) / RMS(weights) over one step, median over the weight matrices, as the step really made
    it; and what the loss does: below half of its start, still near it, above it, or not finite.

    Why it matters: plain descent diverges above 2 over the largest curvature; adaptive methods jump about instead, and
    what was learned is overwritten step by step.

    When it is wrong: at the start the ratio is high for small weights (Adam at 0.01 moves a weight of 0.05 by a fifth),
    and many such runs settle; so a large ratio is reported only together with a loss that does not come down. In a
    game of two networks losses rise by design: there, only updates that replace the weights count.

    Sources: lecun1998, kingma2015.
    """

    code = "TT401"
    name = "learning-rate-too-high"
    needs = (UPDATE_RMS, WEIGHT_RMS, LOSS, LEARNING_RATE)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.BATCH_STATISTICS,
        Cause.ACTIVATION_SCALE,
        Cause.GRADIENT_SCALE,
        Cause.WEIGHT_DECAY,
    )
    reveals = Cause.STEP_TOO_LARGE
    least_steps = 20
    limits = {
        "early": Limit(0.2, "clinic", "update over weights at the first looks; healthy programs stay below 0.13"),
        "steady": Limit(0.04, "clinic", "the same later; healthy programs come down to 0.03"),
        "rewrite": Limit(0.7, "clinic", "a step that replaces most of the weights"),
        "drop": Limit(0.5, "clinic", "share of the loss that is gone in a run that learns in spite of large steps"),
        "rise": Limit(1.3, "clinic", "loss over its start that counts as diverging"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        ratios = self._before_the_end(trace, typical_ratio(update_ratios(trace)))
        finite = ratios[np.isfinite(ratios)]
        if not finite.size:
            return []
        course = main_course(trace)
        harm = self._harm(trace, course, finite)
        if harm is None:
            return []
        early, steady = float(np.median(finite[:5])), float(np.median(finite[5:])) if len(finite) > 8 else 0.0
        sudden = float(np.max(finite)) if self._at_once(trace, course, finite) else 0.0
        if not sudden and early <= self.limits["early"].value and steady <= self.limits["steady"].value:
            return []
        peak = max(early, steady, sudden)
        rate = trace[LEARNING_RATE]
        known = rate[np.isfinite(rate)]
        message = f"one step moves the weights by {_percent(peak)} (about 0.1 % is usual), and the loss {harm}"
        evidence: dict[str, Scalar] = {
            "update_ratio": min(peak, 1e30),
            "learning_rate": float(known.max()) if known.size else None,
        }
        if course is not None:
            evidence |= {"loss_start": course.start, "loss_now": course.now}
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the update by hand"
        since = int(trace.at(UPDATE_RMS)[np.flatnonzero(ratios >= peak / 2)[0]])
        sureness = 0.85 if harm != "has not come down by half" else 0.65
        return [self.finding(Severity.FAIL, (name,), since, message, evidence, sureness=sureness)]

    @staticmethod
    def _before_the_end(trace: Trace, ratios: Floats) -> Floats:
        """Ratios of the steps before the first loss that is not finite: behind it, every number is a consequence."""
        broken = np.flatnonzero(np.isinf(trace[LOSS]).any(axis=1))
        if not broken.size:
            return ratios
        return ratios[trace.at(UPDATE_RMS)[: len(ratios)] < trace.at(LOSS)[broken[0]]]

    def _harm(self, trace: Trace, course: Course | None, ratios: Floats) -> str | None:
        """What the loss does that a step size could have done; None where it does well."""
        losses = trace[LOSS]
        if np.isinf(losses).any():
            first = int(np.flatnonzero(np.isinf(losses).any(axis=1))[0])
            return "is no longer finite" if first > 0 else None
        if course is None:
            return None
        if adversarial(trace):
            return "swings" if np.median(ratios[:5]) > self.limits["rewrite"].value else None
        if course.relapsed and np.max(ratios) > self.limits["steady"].value:
            return f"had come down to {course.lowest:.3g} and is back at {course.now:.3g}"
        if course.start > 0 and course.now > self.limits["rise"].value * course.start:
            return f"has grown from {course.start:.3g} to {course.now:.3g}"
        if len(course.values) >= self.least_steps and course.drop < self.limits["drop"].value:
            return "has not come down by half"
        return None

    def _at_once(self, trace: Trace, course: Course | None, ratios: Floats) -> bool:
        """One look is enough: steps that replace the weights before the loss breaks, or lose what was learned."""
        broke = np.isinf(trace[LOSS]).any() and np.max(ratios) > self.limits["rewrite"].value
        return bool(broke or (course is not None and course.relapsed))

    @staticmethod
    def sick() -> Trace:
        """Steps of a half of the weights, and a loss that quadruples."""
        return _example(0.45, np.linspace(2.3, 10, 40))

    @staticmethod
    def healthy() -> Trace:
        """Steps of a tenth at the start, settling, and a loss that comes down."""
        return _example(0.1, np.geomspace(2.3, 0.2, 40))


def _percent(ratio: float) -> str:
    return f"{ratio:.1%}" if ratio < 10 else f"{ratio:.2g} times their size"


def _example(ratio: float, loss: Floats) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    scale = np.full((len(loss), 2), 0.05)
    decay = np.linspace(1, 0.3, len(loss))[:, None]
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"]},
        {UPDATE_RMS: scale * ratio * decay, WEIGHT_RMS: scale, LOSS: loss},
    )
