"""TT407 epsilon-dominates."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import EPSILON_SHARE, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._updates import is_slow


class EpsilonDominates(Rule):
    """The ε of Adam or RMSProp exceeds the scale that it should guard.

    What it measures: of every weight's coordinates that have had a gradient, the share whose scale √s (bias-corrected
    where the optimizer corrects) is below ε, after the step; and whether the loss comes down.

    Why it matters: the update is v / (√s + ε). Where ε is the larger part the method is plain momentum with a learning
    rate of α/ε: small gradients make small steps again, which the division was there to prevent.

    When it is wrong: a large ε is sometimes chosen to calm the first steps, and does no harm in a run that learns.
    Where the gradients themselves vanish, any ε is larger than they are: that has its own rule, which explains this
    one.

    Sources: kingma2015.
    """

    code = "TT407"
    name = "epsilon-dominates"
    needs = (EPSILON_SHARE, UPDATE_RMS, WEIGHT_RMS, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.CLIPPING,
        Cause.DEAD_UNITS,
        Cause.SATURATION,
        Cause.ACTIVATION,
        Cause.DEPTH,
    )
    reveals = Cause.EPSILON
    least_steps = 20
    limits = {
        "share": Limit(0.9, "clinic", "share of the coordinates whose scale is below ε, median over the weights"),
        "default": Limit(1e-6, "kingma2015", "an ε up to here is a guard, whatever the gradients: the paper has 1e-8"),
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
        optimizer = next((s for s in trace.of("optimizer") if (_epsilon(s) or 0) > self.limits["default"].value), None)
        weights = [i for i, site in enumerate(trace.of("parameter")) if site.attrs.get("role") == "weight"]
        shares = trace[EPSILON_SHARE]
        shares = shares[:, [i for i in weights if i < shares.shape[1]]]
        seen = np.isfinite(shares)
        if optimizer is None or seen.any(axis=1).sum() < 3:
            return []
        columns = [i for i in range(shares.shape[1]) if seen[:, i].any()]
        typical = float(np.median([float(np.median(shares[seen[:, i], i])) for i in columns]))
        if typical < self.limits["share"].value:
            return []
        epsilon = _epsilon(optimizer)
        message = (
            f"ε = {epsilon:g} of {optimizer.name} is larger than the gradient's scale in {typical:.0%} of the "
            "coordinates: "
            f"the steps shrink with the gradient; the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {"epsilon": epsilon, "below_epsilon_share": typical}
        where = (str(optimizer.attrs.get("line") or optimizer.name),)
        return [self.finding(Severity.FAIL, where, 0, message, evidence, sureness=0.8)]

    @staticmethod
    def sick() -> Trace:
        """ε = 1 above all coordinates, and a loss that hardly moves."""
        return _example(1.0, np.linspace(2.3, 2.2, 40))

    @staticmethod
    def healthy() -> Trace:
        """The same in a run that learns."""
        return _example(1.0, np.geomspace(2.3, 0.2, 40))


def _epsilon(site: Site) -> float | None:
    value = site.attrs.get("eps")
    return float(value) if isinstance(value, (int, float)) else None


def _example(share: float, loss: Floats) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    optimizer = Site("optimizer", "Adam", {"eps": 1.0, "line": "train.py:5"})
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"], "optimizer": [optimizer]},
        {EPSILON_SHARE: np.full((len(loss), 2), share), LOSS: loss},
    )
