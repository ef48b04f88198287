"""TT408 excessive-weight-decay."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_USED_RMS, LOSS, UPDATE_RMS, WEIGHT_DECAY, WEIGHT_RMS, WEIGHT_SHRINKAGE
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace


class ExcessiveWeightDecay(Rule):
    """Weight decay overwhelms the gradient.

    What it measures: the decay's part of the step: λ‖w‖ against the gradient's norm where the decay is added to the
    gradient, αλ‖w‖ against the norm of the whole update where it is decoupled; the size of the weights now against
    that at the start; and whether the loss comes down.

    Why it matters: a decay that is stronger than the gradient shrinks the weights to nothing, and the model with
    them: it puts out the same for every input.

    When it is wrong: near a minimum the two are in balance, at the size of the weights that the decay is chosen for. So
    it is reported only where the weights have shrunk to a half or less and the loss has not come down.

    Sources: clinic.
    """

    code = "TT408"
    name = "excessive-weight-decay"
    needs = (WEIGHT_DECAY, WEIGHT_SHRINKAGE, WEIGHT_RMS, GRAD_USED_RMS, UPDATE_RMS, LOSS)
    suspects = (*OF_THE_PROGRAM, *OF_THE_START)
    reveals = Cause.WEIGHT_DECAY
    least_steps = 20
    limits = {
        "part": Limit(0.3, "clinic", "the decay's part of the step, median over weights and looks"),
        "shrunk": Limit(0.5, "clinic", "RMS of the weights over that at the start, median over the weights"),
        "learned": Limit(0.5, "clinic", "share of the loss that is gone in a run that learns in spite of it"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps:
            return []
        if course.drop > self.limits["learned"].value and course.certain > 3:
            return []
        weights = [i for i, site in enumerate(trace.of("parameter")) if site.attrs.get("role") == "weight"]
        judged = [
            (part, left) for i in weights if (part := self._part(trace, i)) is not None and (left := _left(trace, i))
        ]
        if not judged:
            return []
        part, left = float(np.median([p for p, _ in judged])), float(np.median([w for _, w in judged]))
        if part < self.limits["part"].value or left > self.limits["shrunk"].value:
            return []
        name = trace.of("optimizer")[0].name if trace.of("optimizer") else "the optimizer"
        message = (
            f"weight decay makes up {part:.0%} of the steps of {name}, and has shrunk the weights to {left:.1%} of "
            f"their size; the loss went from {course.start:.4g} to {course.now:.4g}"
        )
        evidence: dict[str, Scalar] = {"decay_share": part, "weights_left_share": left}
        return [self.finding(Severity.FAIL, (name,), 0, message, evidence, sureness=0.85)]

    @staticmethod
    def _part(trace: Trace, place: int) -> float | None:
        """The decay's part of the step of one weight, median over the looks."""
        weight = column(trace, WEIGHT_RMS, place)
        parts: list[float] = []
        for signal, against in ((WEIGHT_DECAY, GRAD_USED_RMS), (WEIGHT_SHRINKAGE, UPDATE_RMS)):
            force, other = column(trace, signal, place), column(trace, against, place)
            if not (len(force) and len(other) and len(weight)):
                continue
            steps, rows, _ = np.intersect1d(trace.at(signal), trace.at(WEIGHT_RMS), return_indices=True)
            own = force[rows] * weight[np.searchsorted(trace.at(WEIGHT_RMS), steps)]
            _, here, there = np.intersect1d(steps, trace.at(against), return_indices=True)
            with np.errstate(all="ignore"):
                whole = own[here] + other[there] if signal is WEIGHT_DECAY else other[there]
                shares = np.minimum(own[here] / whole, 1.0)
            parts += [float(s) for s in shares[np.isfinite(shares)]]
        return float(np.median(parts[len(parts) // 3 :])) if len(parts) >= 5 else None

    @staticmethod
    def sick() -> Trace:
        """A decay of 1 that has shrunk the weights to a hundredth."""
        return _example(np.geomspace(0.5, 0.005, 40), np.full(40, 2.3))

    @staticmethod
    def healthy() -> Trace:
        """Weights in balance with as strong a decay."""
        return _example(np.geomspace(0.5, 0.4, 40), np.linspace(2.3, 1.6, 40))


def _left(trace: Trace, place: int) -> float | None:
    weight = column(trace, WEIGHT_RMS, place)
    weight = weight[np.isfinite(weight)]
    return float(np.median(weight[-3:]) / weight[0]) if len(weight) >= 5 and weight[0] > 0 else None


def _example(weight: Floats, loss: Floats) -> Trace:
    sites = [Site("parameter", f"{i}.weight", {"role": "weight"}) for i in range(2)]
    both = np.stack([weight, weight], 1)
    return synthetic_trace(
        {"parameter": sites, "loss": ["train.py:9"], "optimizer": ["SGD"]},
        {
            WEIGHT_DECAY: np.ones_like(both),
            WEIGHT_RMS: both,
            GRAD_USED_RMS: 0.5 * both,
            UPDATE_RMS: 0.1 * both,
            LOSS: loss,
        },
    )
