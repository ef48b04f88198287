"""TT213 exploding-activation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, Cause
from trimtab.core.course import Course, main_course
from trimtab.core.depth import Chain, chains
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DELTA_NORM, IN_RMS, LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._start import signals


class ExplodingActivation(Rule):
    """The activations grow without bound, from layer to layer or from step to step.

    What it measures: the root mean square of what enters each weight layer: at the first look the largest over the
    first, along the depth; and for each layer the last looks over the first ones.

    Why it matters: a signal that grows a thousandfold on its way makes the loss and its gradient as large, and every
    step too large for some layer. Unnormalised residual branches do it (each adds its own size), and so do weights
    that a large step size blows up.

    When it is wrong: normalisation makes any size harmless to what follows, and a model that learns well is not
    reported.

    Sources: he2015, glorot2010.
    """

    code = "TT213"
    name = "exploding-activation"
    needs = (IN_RMS, DELTA_NORM, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        Cause.INPUT_SCALE,
        Cause.TARGET_SCALE,
        Cause.SYMMETRY,
        Cause.WEIGHT_SCALE,
        Cause.STEP_TOO_LARGE,
    )
    reveals = Cause.ACTIVATION_SCALE
    limits = {
        "depth": Limit(100.0, "clinic", "largest signal over that at the first layer; healthy programs stay below 30"),
        "time": Limit(100.0, "clinic", "signal at a layer over what it was at the start"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding: through depth, or else over the steps."""
        course = main_course(trace)
        if course is not None and course.learned_well and course.sane:
            return []
        for chain in chains(trace, least=3):
            finding = self._through_depth(trace, chain)
            if finding is not None:
                return [finding]
        return self._over_steps(trace, course)

    def _through_depth(self, trace: Trace, chain: Chain) -> Finding | None:
        signal = signals(trace, chain)
        if not signal.rms.size or not np.isfinite(signal.rms).any():
            return None
        growth, worst = signal.growth, int(np.nanargmax(signal.rms))
        if growth < self.limits["depth"].value:
            return None
        first, last = chain.names[0], chain.names[worst]
        message = (
            f"the signal grows {growth:.3g} times on its way from {first} to {last}, {worst} layers on: "
            f"from an RMS of {signal.rms[0]:.2g} to {signal.rms[worst]:.3g} before the first step"
        )
        evidence: dict[str, Scalar] = {"growth": growth, "layers": worst, "first": first, "last": last}
        return self.finding(Severity.FAIL, (last,), 0, message, evidence, sureness=0.7)

    def _over_steps(self, trace: Trace, course: Course | None) -> list[Finding]:
        if course is None or course.learned:
            return []
        for place, site in enumerate(trace.of("layer")):
            rms = column(trace, IN_RMS, place)
            seen = np.flatnonzero(np.isfinite(rms))
            if len(seen) < 6 or site.attrs.get("entry"):
                continue
            before, now = float(np.median(rms[seen[:3]])), float(np.median(rms[seen[-3:]]))
            if before > 0 and now > self.limits["time"].value * before:
                beyond = seen[rms[seen] > self.limits["time"].value * before]
                message = (
                    f"the signal entering {site.name} has grown {now / before:.3g} times over the run: "
                    f"from an RMS of {before:.2g} to {now:.3g}"
                )
                evidence: dict[str, Scalar] = {"growth": now / before, "start": before, "now": now}
                step = int(trace.at(IN_RMS)[beyond[0]])
                finding = self.finding(Severity.FAIL, (site.name,), step, message, evidence)
                # Grown over the steps, it is what the steps have done, and explains nothing.
                causes = (Cause.ACTIVATION_SCALE, *self.suspects, Cause.GRADIENT_SCALE, Cause.WEIGHT_DECAY)
                return [replace(finding, reveals=None, causes=causes)]
        return []

    @staticmethod
    def sick() -> Trace:
        """Ten residual blocks, each of which doubles the signal, and a loss that stays large."""
        return _example(2.0, np.full(30, 400.0))

    @staticmethod
    def healthy() -> Trace:
        """Ten layers that let the signal grow fivefold."""
        return _example(1.2, np.linspace(2.5, 2.0, 30))


def _example(factor: float, loss: Floats) -> Trace:
    depth = 10
    layers = [Site("layer", f"blocks.{i}", {"op": "linear", "depth": i + 1, "order": i}) for i in range(depth)]
    signal = np.tile(factor ** np.arange(depth), (len(loss), 1))
    return synthetic_trace({"layer": layers, "loss": ["train.py:9"]}, {IN_RMS: signal, DELTA_NORM: signal, LOSS: loss})
