"""TT401 learning-rate-too-high."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, adversarial, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LEARNING_RATE, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._updates import typical_ratio, update_ratios

STUCK = "has never come down"
EXPLAINS_A_STANDSTILL = tuple(cause for cause in Cause if cause not in (Cause.STEP_TOO_LARGE, Cause.BLINDNESS))


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
        "early": Limit(0.2, "clinic", "update over weights at the first looks; healthy programs stay below 0.17"),
        "early_drop": Limit(0.35, "clinic", "share of the loss that is gone in a run that learns in spite of them"),
        "rewriting": Limit(0.3, "clinic", "the same at the first looks, for a run that does learn, but not well"),
        "rewriting_drop": Limit(0.8, "clinic", "share of the loss that is gone in a run that has got over it"),
        "steady": Limit(0.03, "clinic", "the same in the later half; healthy programs come down to 0.02"),
        "steady_drop": Limit(0.5, "clinic", "share of the loss that is gone in a run that learns in spite of them"),
        "at_once": Limit(
            0.04, "clinic", "update over weights at the first looks of a run that never gets off its start"
        ),
        "rewrite": Limit(0.7, "clinic", "a step that replaces most of the weights"),
        "rise": Limit(1.3, "clinic", "loss over its start that counts as diverging"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        ratios = self._before_the_end(trace, typical_ratio(update_ratios(trace)))
        finite = ratios[np.isfinite(ratios)]
        if not finite.size:
            return []
        course = main_course(trace)
        early, steady = float(np.median(finite[:5])), _late(trace, ratios)
        harm = self._harm(trace, course, finite) or self._no_progress(trace, course, early, steady)
        if harm is None:
            return []
        sudden = float(np.max(finite)) if self._at_once(trace, course, finite) else 0.0
        limits, weak = self.limits, harm == STUCK
        if not weak and not sudden and early <= limits["early"].value and steady <= limits["steady"].value:
            return []
        return [self._finding(trace, course, ratios, harm, max(early, steady, sudden), weak)]

    def _no_progress(self, trace: Trace, course: Course | None, early: float, steady: float) -> str | None:
        """Steps that are large for what they achieve; None where the loss does well."""
        if course is None or adversarial(trace) or len(course.values) < self.least_steps:
            return None
        limits, drop = self.limits, course.drop
        pairs = ((early, "early"), (early, "rewriting"), (steady, "steady"))
        if any(ratio > limits[name].value and drop < limits[f"{name}_drop"].value for ratio, name in pairs):
            return "has not come down well"
        return STUCK if course.stalled and early > limits["at_once"].value else None

    def _finding(
        self, trace: Trace, course: Course | None, ratios: Floats, harm: str, peak: float, weak: bool
    ) -> Finding:
        rate = trace[LEARNING_RATE]
        known = rate[np.isfinite(rate)]
        message = f"one step moves the weights by {_percent(peak)} (about 0.1 % is usual), and the loss {harm}"
        momentum = next((s.attrs.get("momentum") for s in trace.of("optimizer")), None)
        if isinstance(momentum, (int, float)) and momentum >= 0.99:
            message += f"; a momentum of {momentum:g} adds up the last {1 / (1 - momentum):.0f} gradients"
        evidence: dict[str, Scalar] = {
            "update_ratio": min(peak, 1e30),
            "learning_rate": float(known.max()) if known.size else None,
            "momentum": momentum,
        }
        if course is not None:
            evidence |= {"loss_start": course.start, "loss_now": course.now}
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the update by hand"
        since = int(trace.at(UPDATE_RMS)[np.flatnonzero(ratios >= peak / 2)[0]])
        finding = self.finding(Severity.FAIL, (name,), since, message, evidence, sureness=0.5 if weak else 0.8)
        if weak:
            # Large first steps and no progress are compatible with a dozen other faults: any of them explains these.
            return replace(finding, reveals=None, causes=(Cause.STEP_TOO_LARGE, *EXPLAINS_A_STANDSTILL))
        return finding

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
        if course.relapsed and np.max(ratios) > self.limits["at_once"].value:
            return f"had come down to {course.lowest:.3g} and is back at {course.now:.3g}"
        if course.start > 0 and course.now > self.limits["rise"].value * course.start:
            return f"has grown from {course.start:.3g} to {course.now:.3g}"
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


def _late(trace: Trace, ratios: Floats) -> float:
    """The typical ratio in the later half of the run; looks are dense at the start and few later."""
    late = ratios[(trace.at(UPDATE_RMS)[: len(ratios)] >= trace.steps / 2) & np.isfinite(ratios)]
    return float(np.median(late)) if late.size else 0.0


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
