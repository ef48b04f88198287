"""TT304 gradient-spikes."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import Course, adversarial, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.norms import before_and_after_clipping
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_RMS, GRAD_USED_RMS, LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._outliers import aftermath, outliers

WARM_UP = 5


class GradientSpikes(Rule):
    """Rare steps have a gradient many times as long as the typical one.

    What it measures: the norm of the gradient that each step uses, over all parameters, against its median over the
    looks; steps whose loss stands out are looked at for this. And the loss of every step: single ones a hundred times
    as high as those around them, which together make up most of all loss and leave it higher than it was.

    Why it matters: one step of fifty times the usual length undoes what hundreds have done. Outliers in the data, rare
    classes of large weight and the cliffs of recurrent networks make such steps; clipping by norm bounds them.

    When it is wrong: gradients shrink by themselves as a run converges, so the first looks do not count as spikes
    against the later ones; where the gradient is clipped before the step it is the clipped one that counts. A run
    that learns well is not reported, nor is a game of two networks, whose gradients are no more of one kind. A step
    that went too far raises the loss for several steps, an example that lies far off for one.

    Sources: pascanu2013.
    """

    code = "TT304"
    name = "gradient-spikes"
    needs = (GRAD_RMS, GRAD_USED_RMS, LOSS)
    suspects = (*OF_THE_PROGRAM, *OF_THE_START, Cause.ACTIVATION_SCALE, Cause.GRADIENT_SCALE, Cause.STEP_TOO_LARGE)
    reveals = Cause.SPIKES
    least_steps = 20
    limits = {
        "ratio": Limit(15.0, "clinic", "norm over the median of the looks around it; healthy programs stay below 8"),
        "rare": Limit(0.2, "clinic", "share of the looks that may be spikes: more are the typical case"),
        "learned": Limit(0.7, "clinic", "share of the loss that is gone in a run that learns in spite of them"),
        "learned_outliers": Limit(0.9, "clinic", "the same for a run whose loss is mostly that of a few steps"),
        "outlier": Limit(100.0, "clinic", "loss over the median around it; healthy programs stay below 35"),
        "mass": Limit(0.5, "clinic", "share of all loss in such steps; healthy programs have 0.01"),
        "undone": Limit(
            1.15, "clinic", "loss behind such a step over that before: what it has undone; 1.4 and 1.5 seen"
        ),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if adversarial(trace) or course is None:
            return []
        drop = course.drop if course.certain > 3 else 0.0
        found = self._outliers(course) if drop <= self.limits["learned_outliers"].value else []
        return found or (self._spikes(trace) if drop <= self.limits["learned"].value else [])

    def _outliers(self, course: Course) -> list[Finding]:
        """A few steps whose loss is that of examples far off; no step size makes them."""
        places, times = outliers(course.values, self.limits["outlier"].value)
        rare = 3 <= places.size <= self.limits["rare"].value * len(course.values)
        mass = float(course.values[places].sum() / max(float(course.values.sum()), 1e-30))
        if not rare or mass < self.limits["mass"].value:
            return []
        undone = aftermath(course.values, places)
        regular = float(np.std(np.diff(places))) < 1  # a term of the loss that comes every so many steps
        if regular or course.start <= 0 or undone < self.limits["undone"].value:
            return []
        steps = course.steps[places]
        worst = int(np.argmax(times))
        message = (
            f"{places.size} of {len(course.values)} steps carry {mass:.0%} of all loss: at step {steps[worst]} it is "
            f"{course.values[places[worst]]:.3g}, {times[worst]:.3g} times that of the steps around it, then "
            f"back; behind them the loss is {undone:.2g} times what it was before"
        )
        evidence: dict[str, Scalar] = {
            "outliers": int(places.size),
            "share_of_loss": mass,
            "worst_ratio": float(min(times[worst], 1e30)),
            "undone": float(min(undone, 1e30)),
            "step": int(steps[worst]),
        }
        return [
            self.finding(
                Severity.FAIL,
                (course.site.name,),
                int(steps[0]),
                message,
                evidence,
                sureness=0.8,
                causes=OF_THE_PROGRAM,
                reveals=Cause.OUTLIERS,
            )
        ]

    def _spikes(self, trace: Trace) -> list[Finding]:
        steps, _, norms = before_and_after_clipping(trace)
        steps, norms = steps[WARM_UP:], norms[WARM_UP:]
        if len(norms) < 15:
            return []
        ratio = norms / np.maximum(_around(norms), 1e-30)
        spikes = np.flatnonzero(ratio > self.limits["ratio"].value)
        if not spikes.size or spikes.size > self.limits["rare"].value * len(norms):
            return []
        worst = int(spikes[np.argmax(ratio[spikes])])
        message = (
            f"at {spikes.size} of {len(norms)} steps looked at the gradient is many times longer than usual: "
            f"at step {steps[worst]} {ratio[worst]:.3g} times the median ({norms[worst]:.3g})"
        )
        evidence: dict[str, Scalar] = {
            "spikes": int(spikes.size),
            "looks": len(norms),
            "worst_ratio": float(min(ratio[worst], 1e30)),
            "step": int(steps[worst]),
            "typical_norm": float(np.median(norms)),
        }
        return [self.finding(Severity.FAIL, (), int(steps[spikes[0]]), message, evidence, sureness=0.6)]

    @staticmethod
    def sick() -> Trace:
        """Three steps of fifty with a gradient a hundred times as long."""
        norms = np.full(50, 0.1)
        norms[[12, 27, 41]] = 10.0
        return _example(norms, np.full(50, 1.0))

    @staticmethod
    def healthy() -> Trace:
        """A noisy gradient that shrinks as the run converges."""
        return _example(
            np.geomspace(1.0, 0.01, 50) * np.exp(0.8 * np.sin(7.0 * np.arange(50))), np.linspace(1.0, 0.5, 50)
        )


def _around(norms: Floats, reach: int = 10) -> Floats:
    """Median of the looks around each: the typical norm changes over a run."""
    windows = [float(np.median(norms[max(i - reach, 0) : i + reach + 1])) for i in range(len(norms))]
    return np.array(windows, dtype=np.float64)


def _example(norms: Floats, loss: Floats) -> Trace:
    site = Site("parameter", "0.weight", {"role": "weight", "numel": 1})
    return synthetic_trace(
        {"parameter": [site], "loss": ["train.py:9"]}, {GRAD_RMS: norms, GRAD_USED_RMS: norms, LOSS: loss}
    )
