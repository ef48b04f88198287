"""TT302 exploding-gradient."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.depth import Chain, chains
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DELTA_NORM, LOSS, TIME_CALLS, TIME_GAIN
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class ExplodingGradient(Rule):
    """The gradient grows from layer to layer on its way down, or from time step to time step.

    What it measures: the same product as TT301, ∏ M_i with M_i = ‖dL/dφ_{i−1}‖ / ‖dL/dφ_i‖, at the first look, before
    the size of the steps has its part in it; and the gain through time of recurrent layers.

    Why it matters: with M = 2, twenty layers multiply the gradient by a million: a step that suits the last layer
    throws the first ones away, and the loss with them.

    When it is wrong: a network with normalisation or skip connections has a product near 1 at any depth. A product
    above the limit in a run that learns is not reported.

    Sources: pascanu2013, glorot2010.
    """

    code = "TT302"
    name = "exploding-gradient"
    needs = (DELTA_NORM, TIME_GAIN, TIME_CALLS, LOSS)
    suspects = (*OF_THE_PROGRAM, *OF_THE_START, Cause.ACTIVATION_SCALE)
    reveals = Cause.GRADIENT_SCALE
    limits = {
        "reach": Limit(
            50.0, "clinic", "growth of the gradient from the last layer to the first; healthy programs stay below 10"
        ),
        "time": Limit(50.0, "clinic", "growth over all time steps"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per model through depth, or else one per recurrent layer through time."""
        course = main_course(trace)
        if course is not None and course.learned_well and course.sane:
            return []
        found = [f for chain in chains(trace) if (f := self._through_depth(trace, chain)) is not None]
        return found or self._through_time(trace)

    def _through_depth(self, trace: Trace, chain: Chain) -> Finding | None:
        reach = chain.reach()
        usable = reach[np.isfinite(reach)]
        if not usable.size or usable[0] <= self.limits["reach"].value:
            return None
        typical = float(usable[0])
        gain, depth = chain.gain(typical), len(chain.names)
        first, last = chain.names[0], chain.names[-1]
        message = (
            f"the gradient reaching {first} is {typical:.3g} times that at {last}: "
            f"a gain of M = {gain:.2g} per layer over {depth} layers"
        )
        evidence: dict[str, Scalar] = {"gain": gain, "reach": typical, "depth": depth, "first": first, "last": last}
        since = int(trace.at(DELTA_NORM)[0])
        return self.finding(Severity.FAIL, (first,), since, message, evidence, sureness=0.75)

    def _through_time(self, trace: Trace) -> list[Finding]:
        gains, calls = trace[TIME_GAIN], trace[TIME_CALLS]
        found: list[Finding] = []
        for i, site in enumerate(trace.of("layer")[: gains.shape[1]]):
            rows = np.flatnonzero(np.isfinite(gains[:, i]) & np.isfinite(calls[:, i]))
            if not rows.size:
                continue
            gain, times = float(gains[rows[0], i]), int(calls[rows[0], i])
            with np.errstate(over="ignore"):
                growth = float(np.float64(gain) ** (times - 1))
            if growth > self.limits["time"].value:
                message = (
                    f"through time, the gradient at {site.name} grows {growth:.3g} times over {times} time steps: "
                    f"a gain of M = {gain:.2g} per step"
                )
                evidence: dict[str, Scalar] = {"gain": gain, "reach": growth, "calls": times, "through_time": True}
                since = int(trace.at(TIME_GAIN)[rows[0]])
                found.append(self.finding(Severity.FAIL, (site.name,), since, message, evidence, sureness=0.8))
        return found[:1]

    @staticmethod
    def sick() -> Trace:
        """Ten layers with a gain of 2 each, and a loss that grows."""
        return _example(2.0, np.geomspace(5, 500, 40))

    @staticmethod
    def healthy() -> Trace:
        """Ten layers with a gain of 1.2 each."""
        return _example(1.2, np.linspace(2.3, 0.4, 40))


def _example(gain: float, loss: np.ndarray) -> Trace:
    depth = 10
    sites = [Site("layer", f"layers.{i}", {"op": "linear", "depth": i + 1, "order": i}) for i in range(depth)]
    norms = np.tile(0.1 * gain ** np.arange(depth - 1, -1, -1.0), (len(loss), 1))
    return synthetic_trace({"layer": sites, "loss": ["train.py:9"]}, {DELTA_NORM: norms, LOSS: loss})
