"""TT201 bad-initialization."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import courses, main_course
from trimtab.core.depth import Chain, chains, normalized_next
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DELTA_NORM, IN_RMS, LOSS, SATURATED, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace
from trimtab.rules._start import Signals, saturated_at_start, signals, weight_gains


class BadInitialization(Rule):
    """The weights start at a scale that shrinks or grows the signal from layer to layer.

    What it measures: at the first look, RMS(w)·√fan_in of every weight layer (about 1 for Xavier, 1.41 for Kaiming,
    0.58 for torch's default), together with what it does: the RMS of the signal that enters each layer, and the share
    of sigmoid or tanh outputs that are saturated from the start.

    Why it matters: a factor of 2 per layer is a factor of a thousand over ten layers, forward for the signal and
    backward for the gradient.

    When it is wrong: an unusual scale does no harm between normalised layers or on residual branches, and a last
    layer of zeros is good practice; weights may be scaled again where they are used. So the scale is reported only
    with its effect on the signal, and not in a run that has learned well. For a scale of 5 and more, as N(0, 1)
    gives, in layers that no norm follows, a small effect is enough: in attention it makes every softmax one-hot.

    Sources: glorot2010, he2015.
    """

    code = "TT201"
    name = "bad-initialization"
    needs = (WEIGHT_RMS, IN_RMS, DELTA_NORM, SATURATED, LOSS)
    suspects = (Cause.INPUT_SCALE, Cause.SYMMETRY)
    reveals = Cause.WEIGHT_SCALE
    limits = {
        "small": Limit(0.35, "glorot2010", "RMS(w)·√fan_in; torch's default has 0.58"),
        "shrinkage": Limit(1e-3, "clinic", "signal at the last layer over signal at the first"),
        "large": Limit(1.8, "he2015", "RMS(w)·√fan_in; Kaiming has 1.41"),
        "growth": Limit(20.0, "clinic", "largest signal over that at the first layer"),
        "large_saturating": Limit(2.5, "glorot2010", "RMS(w)·√fan_in; Xavier with tanh's gain of 5/3 has 1.7"),
        "absurd": Limit(5.0, "he2015", "RMS(w)·√fan_in; three and a half times Kaiming"),
        "absurd_growth": Limit(3.0, "clinic", "growth of the signal that shows such a scale to be in force"),
        "preflight": Limit(50, "clinic", "steps of a run that is a check before the flight"),
        "first_loss": Limit(4.0, "glorot2010", "first loss over that of guessing, −log(1/C): sound starts have 1 to 2"),
        "saturated": Limit(0.3, "clinic", "share of saturated outputs at the start"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding per model; none where the run has learned well from where it started."""
        course = main_course(trace)
        if course is not None and course.well_started:
            return []
        found = [
            finding for chain in chains(trace, least=2) if (finding := self._check_chain(trace, chain)) is not None
        ]
        return found or self._first_loss(trace)

    def _first_loss(self, trace: Trace) -> list[Finding]:
        """Of a run of a few steps, a check before the flight: a first loss far above that of guessing is a note."""
        if trace.steps > self.limits["preflight"].value:
            return []
        for course in courses(trace):
            if course.trivial is not None and course.start > self.limits["first_loss"].value * course.trivial:
                message = (
                    f"the loss at {course.site.name} begins at {course.start:.3g}, where the same answer for every "
                    f"example has {course.trivial:.3g}: the model starts out sure of what it does not know"
                )
                evidence: dict[str, Scalar] = {"first_loss": course.start, "trivial_loss": course.trivial}
                return [self.finding(Severity.NOTE, (course.site.name,), 0, message, evidence, sureness=0.3)]
        return []

    def _check_chain(self, trace: Trace, chain: Chain) -> Finding | None:
        gains, signal = weight_gains(trace, chain), signals(trace, chain)
        known = gains[np.isfinite(gains)]
        if not known.size:
            return None
        typical, limits = float(np.median(known)), self.limits
        if self._silent(chain, gains, signal):
            return self._finding(chain, typical, signal, "start at 0: no signal and no gradient gets through")
        if typical < limits["small"].value and signal.shrinkage < limits["shrinkage"].value:
            return self._finding(chain, typical, signal, f"shrink the signal to {signal.shrinkage:.1e} of its size")
        if typical > limits["large"].value and signal.growth > limits["growth"].value:
            return self._finding(chain, typical, signal, f"grow the signal {signal.growth:.3g} times")
        free = gains[[not normalized_next(trace, name) for name in chain.names] & np.isfinite(gains)]
        many = free.size >= max(len(gains) / 3, 2) and float(np.median(free)) > limits["absurd"].value
        if many and signal.growth > limits["absurd_growth"].value:
            return self._finding(chain, float(np.median(free)), signal, f"grow the signal {signal.growth:.3g} times")
        saturated = saturated_at_start(trace)
        if (
            saturated.size
            and typical > limits["large_saturating"].value
            and np.median(saturated) > limits["saturated"].value
        ):
            done = f"saturate {np.median(saturated):.0%} of the activations before the first step"
            return self._finding(chain, typical, signal, done)
        return None

    @staticmethod
    def _silent(chain: Chain, gains: np.ndarray, signal: Signals) -> bool:
        """Zero weights below the last layer through which, at every look, neither signal nor gradient passes."""
        blocked = signal.rms.size > 0 and bool((signal.rms[1:] == 0).any())
        return bool((gains[:-1] == 0).any()) and blocked and bool((chain.norms[:, 0] == 0).all())

    def _finding(self, chain: Chain, gain: float, signal: Signals, done: str) -> Finding:
        depth = len(chain.names)
        per_layer = float(max(signal.shrinkage, 1e-300) ** (1 / max(depth - 1, 1)))
        message = f"the weights of {depth} layers {done}: RMS(w)·√fan_in is {gain:.2g} where about 1 keeps the scale"
        evidence: dict[str, Scalar] = {
            "weight_gain": gain,
            "signal_first": float(signal.rms[0]) if signal.rms.size else None,
            "signal_last": float(signal.rms[-1]) if signal.rms.size else None,
            "signal_gain": per_layer,
            "depth": depth,
        }
        return self.finding(Severity.FAIL, (chain.names[0], chain.names[-1]), 0, message, evidence, sureness=0.8)

    @staticmethod
    def sick() -> Trace:
        """Weights of a tenth of the scale that keeps the signal, over eight layers."""
        return _example(0.1)

    @staticmethod
    def healthy() -> Trace:
        """Torch's default start over eight ReLU layers."""
        return _example(0.58)


def _example(gain: float, depth: int = 8, fan_in: int = 64) -> Trace:
    layers = [
        Site(
            "layer",
            f"layers.{i}",
            {"op": "linear", "depth": i + 1, "order": i, "weight": f"layers.{i}.weight", "fan_in": fan_in},
        )
        for i in range(depth)
    ]
    weights = [Site("parameter", f"layers.{i}.weight", {"role": "weight"}) for i in range(depth)]
    signal = np.tile((gain / 2**0.5) ** np.arange(depth), (3, 1))
    return synthetic_trace(
        {"layer": layers, "parameter": weights},
        {WEIGHT_RMS: np.full((3, depth), gain / fan_in**0.5), IN_RMS: signal, DELTA_NORM: signal[:, ::-1]},
    )
