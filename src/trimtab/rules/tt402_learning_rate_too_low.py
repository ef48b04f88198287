"""TT402 learning-rate-too-low."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_RMS, LEARNING_RATE, LOSS, SWALLOWED, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._noise import cosine
from trimtab.rules._updates import reach, typical_ratio, update_ratios


class LearningRateTooLow(Rule):
    """The updates are too small to move the weights, from the start or since a schedule took the rate away.

    What it measures: RMS(update) / RMS(weights) over one step, median over the weight matrices; Σ ‖g‖‖Δw‖ / loss, the
    share of the loss that all steps together could have taken away to first order; the learning rate over the run; and
    whether the loss has moved.

    Why it matters: a step of a millionth of the weights needs a million steps to change anything.

    When it is wrong: warm-up begins with tiny rates, and a schedule may end at zero when the work is done: a rate that
    rises, a loss that has come down, and a rate that fades only in the second half of the run are not reported.

    Sources: lecun1998.
    """

    code = "TT402"
    name = "learning-rate-too-low"
    needs = (UPDATE_RMS, WEIGHT_RMS, GRAD_RMS, LOSS, LEARNING_RATE)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.ACTIVATION_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.CLIPPING,
        Cause.EPSILON,
        Cause.NUMERICS,
        Cause.DEAD_UNITS,
        Cause.SATURATION,
        Cause.ACTIVATION,
        Cause.DEPTH,
        Cause.FLATNESS,
    )
    reveals = Cause.STEP_TOO_SMALL
    least_steps = 20
    limits = {
        "ratio": Limit(2e-5, "clinic", "update over weights per step; the slowest healthy program has 3e-4"),
        "unmoved": Limit(5, "clinic", "looks at steps that changed nothing; a warm-up may begin at a rate of 0"),
        "way": Limit(1e-3, "clinic", "all updates over the weights: below it, no fall of the loss is theirs"),
        "swallowed": Limit(0.8, "ieee754", "share of weights that a step leaves alone: it is below half a last place"),
        "collapse": Limit(1e-3, "clinic", "rate over its maximum that counts as gone"),
        "collapsed_share": Limit(0.5, "clinic", "share of the run after which the rate may be gone"),
        "drop": Limit(0.2, "clinic", "share of the loss that is gone in a run that moves"),
        "reach": Limit(0.25, "clinic", "Σ ‖g‖‖Δw‖ / loss: what all steps together could do; healthy programs have 1"),
        "drop_collapsed": Limit(0.8, "clinic", "the same for a run whose rate is gone early"),
        "drop_done": Limit(0.97, "clinic", "the same for a run that had nothing left to do"),
        "agreement": Limit(0.3, "mccandlish2018", "cosine of successive gradients after the rate is gone; noise has 0"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding: no step at all, a rate that is gone, or one that was too low from the start."""
        idle = next((event for event in trace.events if event.kind == "no-step"), None)
        if idle is not None:
            count = idle.data.get("backwards")
            message = f"backward was called {count} times, but no optimizer step followed: the weights never change"
            return [self.finding(Severity.FAIL, (), 0, message, {"backwards": count}, sureness=0.9)]
        if np.isinf(trace[LOSS]).any():
            return []
        if (unmoved := self._unmoved(trace)) is not None:
            return [unmoved]
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps:
            return []
        return self._collapsed(trace, course) or self._swallowed(trace, course) or self._low(trace, course)

    def _unmoved(self, trace: Trace) -> Finding | None:
        """Steps that change no weight at all though there are gradients: a few of them tell."""
        updates, grads = trace[UPDATE_RMS], trace[GRAD_RMS]
        looks = ~np.isnan(updates).all(axis=1)
        if looks.sum() < self.limits["unmoved"].value or (updates[looks] > 0).any() or not (grads > 0).any():
            return None
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the update by hand"
        rates = trace[LEARNING_RATE]
        rate = float(np.nanmax(rates)) if np.isfinite(rates).any() else None
        message = f"no step of {name} changes any weight, though there are gradients: {int(looks.sum())} were looked at"
        if rate is not None:
            message += f"; the learning rate is {rate:g}"
        evidence: dict[str, Scalar] = {"update_ratio": 0.0, "learning_rate": rate, "steps_looked_at": int(looks.sum())}
        return self.finding(Severity.FAIL, (name,), 0, message, evidence, sureness=0.9)

    def _collapsed(self, trace: Trace, course: Course) -> list[Finding]:
        rates, steps = trace[LEARNING_RATE], trace.at(LEARNING_RATE)
        if not rates.size or course.drop > self.limits["drop_done"].value:
            return []
        rate = rates[:, 0]
        peak = int(np.nanargmax(rate)) if np.isfinite(rate).any() else 0
        gone = np.flatnonzero(rate[peak:] < self.limits["collapse"].value * rate[peak])
        since = int(steps[peak + gone[0]]) if gone.size else trace.steps
        if since > self.limits["collapsed_share"].value * trace.steps:
            return []
        # What little is left may be noise, or a way down that is cut off: then successive gradients still agree.
        agree = cosine(trace, since)
        going_on = agree is not None and agree > self.limits["agreement"].value
        if course.drop > self.limits["drop_collapsed"].value and not going_on:
            return []
        name = trace.of("optimizer")[0].name
        message = (
            f"the learning rate of {name} falls from {rate[peak]:.3g} to {rate[-1]:.3g}: by step {since} of "
            f"{trace.steps} less than a thousandth is left, and the loss stands still"
        )
        evidence: dict[str, Scalar] = {
            "learning_rate_max": float(rate[peak]),
            "learning_rate": float(rate[-1]),
            "collapsed": True,
        }
        return [self.finding(Severity.FAIL, (name,), since, message, evidence, sureness=0.8)]

    def _swallowed(self, trace: Trace, course: Course) -> list[Finding]:
        """Weights in half precision whose steps are less than half of their last place."""
        sites = trace.of("parameter")
        lost = {i: float(np.median(s)) for i in range(len(sites)) if len(s := measured(trace, SWALLOWED, i)) >= 5}
        if not lost or course.drop > self.limits["drop"].value:
            return []
        share = float(np.median(list(lost.values())))
        if share < self.limits["swallowed"].value:
            return []
        kind = str(sites[next(iter(lost))].attrs.get("dtype"))
        message = (
            f"rounding swallows the steps: in {kind} {share:.0%} of the weights with a gradient stay as they were; "
            f"in {trace.steps} steps the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {"swallowed_share": share, "dtype": kind, "drop": course.drop}
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the update by hand"
        return [self.finding(Severity.FAIL, (name,), 0, message, evidence, sureness=0.8)]

    def _low(self, trace: Trace, course: Course) -> list[Finding]:
        rates = trace[LEARNING_RATE]
        rising = rates.size and np.isfinite(rates[[0, -1], 0]).all() and rates[-1, 0] > 2 * rates[0, 0]
        ratios = typical_ratio(update_ratios(trace))
        finite = ratios[np.isfinite(ratios)]
        if rising or not finite.size:
            return []
        typical, way = float(np.median(finite)), float(np.mean(finite)) * trace.steps
        possible = reach(trace, trace.of("loss").index(course.site))
        still = course.drop < self.limits["drop"].value
        cannot = possible is not None and possible < self.limits["reach"].value and still
        moved = not still and way > self.limits["way"].value
        if not cannot and (moved or typical >= self.limits["ratio"].value):
            return []
        message = (
            f"one step moves the weights by {typical:.1e} of their size (about 1e-3 is usual): "
            f"in {trace.steps} steps the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        if possible is not None and cannot:
            message += f", and all of them together could lower it by {possible:.1%} at most, to first order"
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the update by hand"
        known = rates[np.isfinite(rates)]
        rate = float(known[0]) if known.size else None
        evidence: dict[str, Scalar] = {
            "update_ratio": typical,
            "learning_rate": rate,
            "drop": course.drop,
            "reach": possible,
        }
        return [self.finding(Severity.FAIL, (name,), 0, message, evidence, sureness=0.75)]

    @staticmethod
    def sick() -> Trace:
        """Steps of a millionth, and a loss that stands still."""
        return _example(1e-6, 2.3 + 0.01 * np.sin(np.arange(60)))

    @staticmethod
    def healthy() -> Trace:
        """Steps of a thousandth at the noise floor of the task."""
        return _example(1e-3, 0.69 + 0.01 * np.sin(np.arange(60)))


def _example(ratio: float, loss: Floats) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    scale = np.full((len(loss), 2), 0.05)
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"], "optimizer": ["SGD"]},
        {UPDATE_RMS: scale * ratio, WEIGHT_RMS: scale, LOSS: loss, LEARNING_RATE: np.full(len(loss), 1e-6)},
    )
