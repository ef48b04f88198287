"""TT403 plateau."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_RMS, LOSS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._global import elasticity

_ANY = tuple(cause for cause in Cause if cause not in (Cause.FLATNESS, Cause.BLINDNESS))


class Plateau(Rule):
    """The run is stuck at a saddle point or in a shallow optimum.

    What it measures: ‖g‖ ‖w‖ / |loss|, by how many per cent the loss can fall, to first order, while the weights move
    by one per cent; over the later half of a run whose loss stands still.

    Why it matters: where the loss is flat the gradient says next to nothing, and plain descent needs as many steps as
    the slope is small. Momentum adds up what little there is, and noise or another start leads off a saddle.

    When it is wrong: a run that has converged stands still as well, but after its loss has fallen. A step that is too
    small stands still on a slope: that is TT402. Gradients that vanish on their way down, dead or saturated units are
    their own rules, and explain this one.

    Sources: lecun1998, clinic.
    """

    code = "TT403"
    name = "plateau"
    needs = (GRAD_RMS, WEIGHT_RMS, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.ACTIVATION_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.NUMERICS,
        Cause.DEAD_UNITS,
        Cause.SATURATION,
        Cause.ACTIVATION,
        Cause.DEPTH,
    )
    reveals = Cause.FLATNESS
    least_steps = 40
    limits = {
        "elasticity": Limit(
            0.02, "clinic", "per cent of the loss per per cent of the weights; at a fresh start 0.3 to 30"
        ),
        "still": Limit(0.02, "clinic", "share of the loss that is gone in a run that stands where it began"),
        "long": Limit(100, "clinic", "steps after which a sound run has moved"),
        "moved": Limit(0.1, "clinic", "share of the loss that is gone in a run that moves"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps or np.isinf(trace[LOSS]).any():
            return []
        if course.drop > self.limits["moved"].value and course.certain > 3:
            return []
        slopes = elasticity(trace, course.values, course.steps)
        slopes = slopes[np.isfinite(slopes)]
        late = slopes[len(slopes) // 2 :]
        if len(late) < 5 or float(np.median(late)) > self.limits["elasticity"].value:
            return self._standstill(trace, course)
        slope = float(np.median(late))
        message = (
            f"the loss stands still on flat ground: moving the weights by 1 % along the gradient changes it by "
            f"{slope:.1e} %; in {trace.steps} steps it went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {"elasticity": slope, "loss_start": course.start, "loss_now": course.now}
        return [self.finding(Severity.FAIL, (course.site.name,), 0, message, evidence, sureness=0.6)]

    def _standstill(self, trace: Trace, course: Course) -> list[Finding]:
        """No flat ground, and yet no progress: told where nothing else is, for no sound run stands still so long."""
        limits = self.limits
        if not course.stalled or course.drop > limits["still"].value or len(trace.of("optimizer")) > 1:
            return []
        if len(course.values) < limits["long"].value or course.lowest < 0.9 * course.reference:
            return []
        message = (
            f"the loss stands where it began: {course.start:.4g} at first, {course.now:.4g} after {trace.steps} steps, "
            "though there are gradients and the weights move"
        )
        evidence: dict[str, Scalar] = {"loss_start": course.start, "loss_now": course.now, "trivial": course.trivial}
        finding = self.finding(Severity.WARN, (course.site.name,), 0, message, evidence, sureness=0.3)
        return [replace(finding, reveals=None, causes=(Cause.FLATNESS, *_ANY))]

    @staticmethod
    def sick() -> Trace:
        """A gradient of a ten-thousandth of what a fresh model has, and a loss that stands still."""
        return _example(1e-5, 0.7 + 1e-3 * np.sin(np.arange(60)))

    @staticmethod
    def healthy() -> Trace:
        """Converged: as small a gradient, after the loss has come down."""
        return _example(1e-5, np.geomspace(0.7, 0.1, 60))


def _example(grad: float, loss: Floats) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight", "numel": 100}) for i in range(2)]
    shape = (len(loss), 2)
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"]},
        {GRAD_RMS: np.full(shape, grad), WEIGHT_RMS: np.full(shape, 0.5), LOSS: loss},
    )
