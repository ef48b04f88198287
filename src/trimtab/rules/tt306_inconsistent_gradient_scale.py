"""TT306 inconsistent-gradient-scale."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, adversarial, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import COLUMN_SPREAD, GRAD_RMS, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._objectives import stands_still
from trimtab.rules._updates import speed_of_weights


class InconsistentGradientScale(Rule):
    """Coordinates get gradients of very different scale under one learning rate.

    What it measures: in each weight, the RMS of the gradient of every input (column, or row of a table) over all
    looks; the 90th percentile over the 10th. And between weights, how far one step moves each of them for its size:
    the fastest over the slowest, where the slowest hardly gets anywhere in the whole run. Only for optimizers that do
    not scale each coordinate themselves.

    Why it matters: plain descent must take a step that the steepest coordinate bears, and the others crawl. Features of
    unequal scale and tokens of unequal frequency do it.

    When it is wrong: pixels at the rim are dark in every image, and nothing is lost where their weights stand still. A
    run that learns well is not reported, unless it is one of several objectives that it learns and another stands.

    Sources: lecun1998, kingma2015.
    """

    code = "TT306"
    name = "inconsistent-gradient-scale"
    needs = (COLUMN_SPREAD, GRAD_RMS, UPDATE_RMS, WEIGHT_RMS, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.BATCH_STATISTICS,
        Cause.ACTIVATION_SCALE,
        Cause.GRADIENT_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.CLIPPING,
        Cause.NUMERICS,
        Cause.DEAD_UNITS,
        Cause.SATURATION,
        Cause.ACTIVATION,
        Cause.DEPTH,
    )
    reveals = Cause.CONDITIONING
    least_steps = 30
    limits = {
        "columns": Limit(30.0, "clinic", "90th over 10th percentile of the gradient's RMS over the inputs of a weight"),
        "weights": Limit(
            100.0, "clinic", "update over weight, the fastest over the slowest; healthy ones stay below 20"
        ),
        "crawl": Limit(0.05, "clinic", "share of its size that the slowest weight can have moved by in the whole run"),
        "one_rate": Limit(
            30.0, "clinic", "update over gradient of two weights under one rate; momentum alone makes 10"
        ),
        "learned": Limit(0.5, "clinic", "share of the loss that is gone in a run that learns in spite of it"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps:
            return []
        learned = course.drop > self.limits["learned"].value and course.certain > 3
        if adversarial(trace) or not course.tells or (learned and not stands_still(trace)):
            return []
        if not trace.of("optimizer") or any(site.attrs.get("eps") is not None for site in trace.of("optimizer")):
            return []
        columns = [] if learned else self._between_columns(trace, course)
        return columns or self._between_weights(trace, course)

    def _between_columns(self, trace: Trace, course: Course) -> list[Finding]:
        spreads = {
            i: float(values[-1])
            for i in range(len(trace.of("parameter")))
            if (values := measured(trace, COLUMN_SPREAD, i)).size
        }
        uneven = {i: spread for i, spread in spreads.items() if spread > self.limits["columns"].value}
        if not uneven:
            return []
        worst = max(uneven, key=lambda i: uneven[i])
        name = str(trace.of("parameter")[worst].attrs.get("layer") or trace.of("parameter")[worst].name)
        message = (
            f"the gradients of the inputs of {name} differ by a factor of {uneven[worst]:.3g} (90th over 10th "
            f"percentile) under the one learning rate of {trace.of('optimizer')[0].name}; "
            f"the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {"spread": uneven[worst], "weights": len(uneven)}
        return [self.finding(Severity.WARN, (name,), 0, message, evidence, sureness=0.45)]

    def _between_weights(self, trace: Trace, course: Course) -> list[Finding]:
        speeds = speed_of_weights(trace)
        if len(speeds) < 2:
            return []
        slow, fast = min(speeds, key=lambda i: speeds[i]), max(speeds, key=lambda i: speeds[i])
        factor, way = speeds[fast] / speeds[slow], speeds[slow] * trace.steps
        if factor < self.limits["weights"].value or way > self.limits["crawl"].value:
            return []
        # Of groups with rates of their own the script wants it so.
        rates = [float(np.median(measured(trace, UPDATE_RMS, i))) / _typical(trace, i) for i in (slow, fast)]
        if max(rates) > self.limits["one_rate"].value * min(rates):
            return []
        names = [trace.of("parameter")[i].name for i in (slow, fast)]
        stalled = stands_still(trace)
        told = (
            f"{stalled} has learned nothing"
            if stalled
            else f"the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        message = (
            f"under the one learning rate of {trace.of('optimizer')[0].name} a step moves {names[1]} by "
            f"{speeds[fast]:.2g} of its size and {names[0]} by {speeds[slow]:.2g}, which makes {way:.1%} in all "
            f"{trace.steps} steps; {told}"
        )
        evidence: dict[str, Scalar] = {"factor": factor, "slowest": speeds[slow], "fastest": speeds[fast]}
        return [self.finding(Severity.WARN, (names[0],), 0, message, evidence, sureness=0.45)]

    @staticmethod
    def sick() -> Trace:
        """A table of tokens of very unequal frequency under SGD, whose loss hardly moves."""
        return _example(300.0, np.linspace(2.3, 2.0, 40))

    @staticmethod
    def healthy() -> Trace:
        """Pixels of unequal brightness."""
        return _example(12.0, np.linspace(2.3, 2.0, 40))


def _typical(trace: Trace, place: int) -> float:
    """Median RMS of a weight's gradient."""
    grads = measured(trace, GRAD_RMS, place)
    return max(float(np.median(grads)), 1e-30) if grads.size else 1.0


def _example(spread: float, loss: Floats) -> Trace:
    site = Site("parameter", "table.weight", {"role": "weight", "layer": "table"})
    optimizer = Site("optimizer", "SGD", {"line": "train.py:5"})
    return synthetic_trace(
        {"parameter": [site], "optimizer": [optimizer], "loss": ["train.py:9"]},
        {COLUMN_SPREAD: np.full(len(loss), spread), LOSS: loss},
    )
