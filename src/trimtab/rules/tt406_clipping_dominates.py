"""TT406 clipping-dominates."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.norms import before_and_after_clipping
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._updates import is_slow


class ClippingDominates(Rule):
    """Nearly every step is clipped, and hard.

    What it measures: the norm of the gradient after backward, and as the step uses it: their ratio at each look, over
    all parameters; and whether the loss comes down.

    Why it matters: clipping is for rare long gradients. A threshold far below the typical norm makes every gradient the
    same tiny length: the steps are those of a learning rate many times smaller, and no longer shrink at a minimum.

    When it is wrong: recurrent networks learn well with a threshold that is reached at most steps, and Adam divides a
    constant factor away: a run that learns is not reported.

    Sources: pascanu2013.
    """

    code = "TT406"
    name = "clipping-dominates"
    needs = (GRAD_RMS, GRAD_USED_RMS, UPDATE_RMS, WEIGHT_RMS, LOSS)
    suspects = (*OF_THE_PROGRAM, *OF_THE_START, Cause.ACTIVATION_SCALE, Cause.GRADIENT_SCALE, Cause.STEP_TOO_LARGE)
    reveals = Cause.CLIPPING
    least_steps = 20
    limits = {
        "kept": Limit(0.1, "clinic", "share of the gradient's length that is left, median over the looks"),
        "clipped": Limit(0.9, "clinic", "share of the looks at which the gradient was clipped to less than half"),
        "learned": Limit(0.5, "clinic", "share of the loss that is gone in a run that learns in spite of it"),
        "learned_slowly": Limit(0.8, "clinic", "the same where the steps are small"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps:
            return []
        slow = is_slow(trace)
        if course.drop > self.limits["learned_slowly" if slow else "learned"].value and course.certain > 3:
            return []
        steps, before, after = before_and_after_clipping(trace)
        if len(steps) < 5:
            return []
        kept = after / before
        typical = float(np.median(kept))
        if typical > self.limits["kept"].value or (kept < 0.5).mean() < self.limits["clipped"].value:
            return []
        message = (
            f"clipping leaves {typical:.1e} of the gradient: its norm is {np.median(before):.3g} after backward and "
            f"{np.median(after):.3g} in the step, at {(kept < 0.5).mean():.0%} of the steps looked at; "
            f"the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {
            "kept": typical,
            "norm": float(np.median(before)),
            "threshold": float(np.median(after)),
            "clipped_share": float((kept < 0.5).mean()),
        }
        return [self.finding(Severity.FAIL, (), int(steps[0]), message, evidence, sureness=0.85)]

    @staticmethod
    def sick() -> Trace:
        """A threshold of a thousandth of the norm, and a loss that hardly moves."""
        return _example(1e-3, np.linspace(2.3, 2.25, 40))

    @staticmethod
    def healthy() -> Trace:
        """As hard a clipping under Adam, which learns."""
        return _example(1e-3, np.geomspace(2.3, 0.3, 40))


def _example(kept: float, loss: Floats) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight", "numel": 100}) for i in range(2)]
    grads = np.full((len(loss), 2), 0.3)
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"]}, {GRAD_RMS: grads, GRAD_USED_RMS: kept * grads, LOSS: loss}
    )
