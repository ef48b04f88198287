"""TT301 vanishing-gradient."""

from __future__ import annotations

from math import log10

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.depth import Chain, chains
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DELTA_NORM, GRAD_RMS, LOSS, TIME_CALLS, TIME_GAIN, UPDATE_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace
from trimtab.rules._updates import reach


class VanishingGradient(Rule):
    """The gradient shrinks from layer to layer on its way down, and the early layers get next to nothing.

    What it measures: ‖dL/dφ_i‖ at the output φ_i of every weight layer, over the batch. The gain of a layer is
    M_i = ‖dL/dφ_{i−1}‖ / ‖dL/dφ_i‖; the first layer gets ∏ M_i ≈ M^ℓ of what the last one gets. The norm is used, not
    the mean over units: initialisation by fan-in and pooling keep it, whatever the widths. For a layer that is called
    again and again (recurrence) the same product runs through time.

    Why it matters: with M = 0.25, the largest slope of a sigmoid, ten layers leave a millionth: the early layers stay
    at their random start and the network learns with its last layers alone.

    When it is wrong: Adam divides the scale away, so that a moderate product does no harm; below the limit
    `reach_certain` the run is reported in any case, between it and `reach` only when the loss stands still. A
    converged run has small gradients everywhere, which leaves the product as it was.

    Sources: glorot2010, bengio1994, pascanu2013.
    """

    code = "TT301"
    name = "vanishing-gradient"
    needs = (DELTA_NORM, TIME_GAIN, TIME_CALLS, GRAD_RMS, UPDATE_RMS, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.ACTIVATION_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.NUMERICS,
        Cause.DEAD_UNITS,
        Cause.SATURATION,
        Cause.DEPTH,
    )
    reveals = Cause.DEPTH
    limits = {
        "reach": Limit(2e-3, "clinic", "share of the top gradient that reaches the first layer, when the loss stalls"),
        "reach_certain": Limit(1e-4, "clinic", "the same when the loss moves: no healthy program comes near"),
        "reach_nothing": Limit(1e-12, "ieee754", "the same through time, if all steps are small: float32 keeps 1e-7"),
        "gain": Limit(
            0.6,
            "glorot2010",
            "gain per layer; a default-initialised ReLU layer has 0.41 to 1, so it is not enough alone",
        ),
        "possible": Limit(
            0.25, "clinic", "Σ ‖g‖‖Δw‖ / loss, what all steps together could do; healthy programs have 1"
        ),
        "looks": Limit(0.5, "clinic", "share of the looks that must show it"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per model through depth, or else one per recurrent layer through time."""
        course = main_course(trace)
        stalled = course is not None and course.stalled and len(course.values) >= 20
        # A loss that stands says nothing of the gradient where the steps were too small to move it.
        possible = reach(trace, trace.of("loss").index(course.site)) if course is not None and stalled else None
        telling = stalled and (possible is None or possible > self.limits["possible"].value)
        limit = self.limits["reach" if telling else "reach_certain"].value
        found = [f for chain in chains(trace) if (f := self._through_depth(trace, chain, limit)) is not None]
        if found or not stalled:
            return found
        return self._through_time(trace, self.limits["reach" if telling else "reach_nothing"].value)

    def _through_depth(self, trace: Trace, chain: Chain, limit: float) -> Finding | None:
        reach = chain.reach()
        usable = np.isfinite(reach) & (chain.norms[:, -1] > 0)
        if not usable.any():
            return None
        typical = float(np.median(reach[usable]))
        gain = chain.gain(typical)
        low = usable & (reach < limit)
        if (
            typical >= limit
            or gain > self.limits["gain"].value
            or low.sum() < self.limits["looks"].value * usable.sum()
        ):
            return None
        first, last, depth = chain.names[0], chain.names[-1], len(chain.names)
        message = (
            f"the gradient reaching {first} is {typical:.1e} of that at {last}: "
            f"a gain of M = {gain:.2g} per layer over {depth} layers"
        )
        if typical == 0:
            message = f"no gradient at all reaches {first}, {depth - 1:,} layers below {last}"
        evidence: dict[str, Scalar] = {"gain": gain, "reach": typical, "depth": depth, "first": first, "last": last}
        since = int(trace.at(DELTA_NORM)[np.flatnonzero(low)[0]])
        reveals = Cause.ACTIVATION if _contracting(trace) else Cause.DEPTH
        sureness = _sureness(typical, limit)
        where = self._starved(chain)
        return self.finding(Severity.FAIL, where, since, message, evidence, sureness=sureness, reveals=reveals)

    @staticmethod
    def _starved(chain: Chain) -> tuple[str, ...]:
        """Layers whose gradient is below a hundredth of the last one's, lowest first; of none the first layer."""
        with np.errstate(all="ignore"):
            share = np.nanmedian(chain.norms / chain.norms[:, -1:], axis=0)
        return tuple(name for name, s in zip(chain.names, share, strict=True) if s < 0.01) or chain.names[:1]

    def _through_time(self, trace: Trace, limit: float) -> list[Finding]:
        gains, calls = trace[TIME_GAIN], trace[TIME_CALLS]
        found: list[Finding] = []
        for i, site in enumerate(trace.of("layer")[: gains.shape[1]]):
            seen = np.isfinite(gains[:, i]) & np.isfinite(calls[:, i])
            if not seen.any():
                continue
            gain, times = float(np.median(gains[seen, i])), int(np.median(calls[seen, i]))
            reach = gain ** (times - 1)
            if reach < limit:
                found.append(self._time_finding(trace, site, gain, times, reach, seen))
        return found[:1]

    def _time_finding(
        self, trace: Trace, site: Site, gain: float, times: int, reach: float, seen: np.ndarray
    ) -> Finding:
        message = (
            f"through time, {site.name} passes on {reach:.1e} of the gradient over {times} time steps: "
            f"a gain of M = {gain:.2g} per step, so what happened early cannot be learned"
        )
        evidence: dict[str, Scalar] = {"gain": gain, "reach": reach, "calls": times, "through_time": True}
        since = int(trace.at(TIME_GAIN)[np.flatnonzero(seen)[0]])
        return self.finding(Severity.FAIL, (site.name,), since, message, evidence, sureness=0.8)

    @staticmethod
    def sick() -> Trace:
        """Eight layers with a gain of 0.2 each, and a loss that stands still."""
        return _example(0.2)

    @staticmethod
    def healthy() -> Trace:
        """Eight layers with a gain of 0.5 each: a ReLU network at torch's default start, learning."""
        return _example(0.5, np.linspace(2.3, 0.4, 40))


def _contracting(trace: Trace) -> bool:
    """Whether the hidden activations are sigmoid or tanh, whose slope is below 1 nearly everywhere."""
    hidden = [site.attrs.get("fn") for site in trace.of("activation") if site.attrs.get("role") == "hidden"]
    return bool(hidden) and sum(fn in ("sigmoid", "tanh") for fn in hidden) > len(hidden) / 2


def _sureness(reach: float, limit: float) -> float:
    """From 0.6 at the limit to 0.9 four decades below it."""
    return min(max(0.6 + 0.3 * log10(limit / max(reach, 1e-12)) / 4, 0.6), 0.9)


def _example(gain: float, loss: Floats | None = None) -> Trace:
    depth, looks = 8, 40
    sites = [Site("layer", f"layers.{i}", {"op": "linear", "depth": i + 1, "order": i}) for i in range(depth)]
    norms = np.tile(0.1 * gain ** np.arange(depth - 1, -1, -1.0), (looks, 1))
    losses = 2.3 + 0.01 * np.sin(np.arange(looks)) if loss is None else loss
    return synthetic_trace({"layer": sites, "loss": ["train.py:9"]}, {DELTA_NORM: norms, LOSS: losses})
