"""TT305 noisy-gradient."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRADIENT_DOT, GRADIENT_POWER, LOSS, TARGET_COUNT
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._noise import cosine

WARM_UP = 5


class NoisyGradient(Rule):
    """The minibatch gradient is mostly noise.

    What it measures: the cosine of successive gradients, c = Σ g_t·g_{t−1} / Σ ‖g_t‖‖g_{t−1}‖. Gradients of
    independent batches agree in their mean G and in nothing else: ‖G‖² = c E‖g‖². So the noise of a batch of B
    examples is 1/c − 1 times the signal, and B (1/c − 1) examples would make the two equal: the gradient noise scale.

    Why it matters: with far fewer examples than that a step goes nearly anywhere; the loss jitters and does not settle,
    and only a much smaller learning rate or an average over steps (momentum) would help as a larger batch does.

    When it is wrong: near a minimum every gradient is noise, and that does no harm. So only runs with a few examples
    in a batch are judged, and only while their loss has not come down.

    Sources: mccandlish2018.
    """

    code = "TT305"
    name = "noisy-gradient"
    needs = (GRADIENT_DOT, GRADIENT_POWER, TARGET_COUNT, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.BATCH_STATISTICS,
        Cause.ACTIVATION_SCALE,
        Cause.GRADIENT_SCALE,
        Cause.STEP_TOO_LARGE,
        Cause.NUMERICS,
        Cause.DEAD_UNITS,
    )
    reveals = Cause.NOISE
    least_steps = 30
    limits = {
        "batch": Limit(8.5, "clinic", "examples in a batch: with more, noise is seldom what is wrong"),
        "cosine": Limit(0.1, "mccandlish2018", "cosine of successive gradients: noise of ten times the signal"),
        "learned": Limit(0.7, "clinic", "share of the loss that is gone in a run that learns in spite of it"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        course = main_course(trace)
        if course is None or len(course.values) < self.least_steps:
            return []
        if course.drop > self.limits["learned"].value and course.certain > 3:
            return []
        batch = _batch(trace)
        agree = cosine(trace, WARM_UP, least=15)
        if batch is None or agree is None or batch > self.limits["batch"].value:
            return []
        if agree > self.limits["cosine"].value:
            return []
        scale = batch * (1 / max(agree, 1e-3) - 1)
        message = (
            f"successive gradients hardly agree (cosine {agree:.2f}) with {batch:.0f} example"
            f"{'' if batch == 1 else 's'} in a batch: at least {scale:.2g} would be needed for as much signal as noise"
        )
        evidence: dict[str, Scalar] = {"cosine": agree, "batch": int(batch), "noise_scale": float(scale)}
        return [self.finding(Severity.WARN, (), 0, message, evidence, sureness=0.5)]

    @staticmethod
    def sick() -> Trace:
        """Batches of one whose gradients have nothing in common."""
        return _example(0.01, 1.0)

    @staticmethod
    def healthy() -> Trace:
        """Batches of one that mostly agree."""
        return _example(0.4, 1.0)


def _batch(trace: Trace) -> float | None:
    """Examples in a batch: the most that an objective has, median over the looks."""
    counts = [measured(trace, TARGET_COUNT, place) for place in range(len(trace.of("objective")))]
    return max((float(np.median(c)) for c in counts if c.size), default=None)


def _example(agree: float, batch: float) -> Trace:
    looks = 40
    objective = Site("objective", "mse at train.py:9", {"compares": "mse", "columns": 1, "line": "train.py:9"})
    loss: Floats = 1.0 + 0.3 * np.sin(7.0 * np.arange(looks))
    return synthetic_trace(
        {"run": ["run"], "objective": [objective], "loss": ["train.py:9"]},
        {
            GRADIENT_POWER: np.ones(looks),
            GRADIENT_DOT: (np.arange(1, looks), np.full(looks - 1, agree)),
            TARGET_COUNT: np.full(looks, batch),
            LOSS: loss,
        },
    )
