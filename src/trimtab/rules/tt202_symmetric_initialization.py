"""TT202 symmetric-initialization."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column, measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS, UNIT_SPREAD, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class SymmetricInitialization(Rule):
    """The units of a layer start as copies of each other, and stay so.

    What it measures: the standard deviation between the units of a weight over its root mean square, after the first
    step and at every look after it, for weights whose units agreed then. Random starts have about 1, copies 0.

    Why it matters: units that get the same input through the same weights have the same output and the same gradient.
    However wide the layer, it is worth one unit.

    When it is wrong: a last layer of zeros is good practice, as are zeros at the end of a residual branch: what follows
    or what enters makes their units differ at the first step, and they are not reported. Weights that stay at zero in
    a run that learns well close a branch, perhaps on purpose.

    Sources: glorot2010.
    """

    code = "TT202"
    name = "symmetric-initialization"
    needs = (UNIT_SPREAD, WEIGHT_RMS, LOSS)
    suspects = (Cause.NONFINITE_DATA, Cause.UNOPTIMIZED, Cause.DISCONNECTED)
    reveals = Cause.SYMMETRY
    least_steps = 5
    limits = {
        "spread": Limit(1e-4, "ieee754", "sd between units over their RMS that counts as none: rounding has 1e-7"),
        "looks": Limit(5, "clinic", "looks at which the units still agree; other layers differ after one step"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for all weights whose units are copies."""
        course, sites = main_course(trace), trace.of("parameter")
        alike = [i for i, site in enumerate(sites) if site.attrs.get("role") == "weight" and self._stays(trace, i)]
        if course is not None and course.learned_well:
            # A branch that is closed, at zero, may be meant so; units that work, all in the same way, never are.
            alike = [i for i in alike if (measured(trace, WEIGHT_RMS, i)[-1:] > 0).any()]
        if not alike:
            return []
        names = tuple(sites[i].name for i in alike)
        message = (
            f"all units of {names[0]} are copies of each other, from the start and still at step {trace.steps - 1}"
        )
        if len(names) > 1:
            message += f"; {len(names)} weights are affected"
        evidence: dict[str, Scalar] = {
            "unit_spread": float(column(trace, UNIT_SPREAD, alike[0])[-1]),
            "weights": len(names),
        }
        return [self.finding(Severity.FAIL, names, 0, message, evidence, sureness=0.9)]

    def _stays(self, trace: Trace, place: int) -> bool:
        spread = column(trace, UNIT_SPREAD, place)
        spread = spread[~np.isnan(spread)]
        return len(spread) >= self.limits["looks"].value and bool((spread < self.limits["spread"].value).all())

    @staticmethod
    def sick() -> Trace:
        """Constant weights in a hidden layer."""
        return _example(np.zeros(20))

    @staticmethod
    def healthy() -> Trace:
        """A last layer of zeros, whose units part at the first step."""
        return _example(np.array([0.0] + [0.8] + [np.nan] * 18))


def _example(spread: np.ndarray) -> Trace:
    weights = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    return synthetic_trace(
        {"parameter": weights, "loss": ["train.py:9"]},
        {UNIT_SPREAD: np.stack([spread, np.r_[1.0, np.full(19, np.nan)]], 1), LOSS: np.full(20, 2.3)},
    )
