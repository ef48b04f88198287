"""TT212 dead-relu."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DEAD, IN_RMS, IN_SPREAD, LOSS, ZERO
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class DeadRelu(Rule):
    """ReLU units put out zero on every example.

    What it measures: the share of a layer's units without one positive output in the last 512 examples that were looked
    at; where fewer have been seen yet, the share of zeros, which is 1 only where the whole layer is silent.

    Why it matters: a unit that is zero everywhere has no gradient and never comes back. When a whole layer is silent,
    nothing below it learns.

    When it is wrong: zeros are normal (half of all outputs, and more where units specialise). Where the signal hardly
    varies between examples, a unit is on or off for all of them alike: such layers are not judged, nor are layers that
    get nothing but zeros from a silent layer below.

    Sources: lu2019.
    """

    code = "TT212"
    name = "dead-relu"
    needs = (DEAD, ZERO, IN_RMS, IN_SPREAD, LOSS)
    suspects = (
        *OF_THE_PROGRAM,
        *OF_THE_START,
        Cause.ACTIVATION_SCALE,
        Cause.WEIGHT_DECAY,
        Cause.STEP_TOO_LARGE,
        Cause.NUMERICS,
    )
    reveals = Cause.DEAD_UNITS
    limits = {
        "dead": Limit(0.8, "clinic", "share of dead units in a layer; healthy programs reach 0.55"),
        "silent": Limit(0.999, "clinic", "share of zeros that makes a whole layer silent"),
        "variation": Limit(0.1, "clinic", "sd between examples over RMS of the signal that enters the layer before"),
        "learned": Limit(0.4, "clinic", "share of the loss that is gone in a run that learns in spite of them"),
        "looks": Limit(0.3, "clinic", "share of the looks that must show it"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for all layers with dead units; none where the loss falls well in spite of them."""
        course = main_course(trace)
        if course is not None and course.drop > self.limits["learned"].value and course.certain > 3:
            return []
        dead = {
            i: share
            for i, site in enumerate(trace.of("activation"))
            if site.attrs.get("fn") == "relu"
            and self._varies(trace, str(site.attrs.get("after")))
            and (share := self._share(trace, i)) > self.limits["dead"].value
        }
        if not dead:
            return []
        sites = trace.of("activation")
        worst = max(dead, key=lambda i: dead[i])
        whole = [i for i in dead if dead[i] > self.limits["silent"].value]
        message = f"{dead[worst]:.0%} of the units of {sites[worst].name} are zero on every example"
        if len(dead) > 1:
            message += f"; {len(dead)} layers are affected"
        evidence: dict[str, Scalar] = {"dead": dead[worst], "layers": len(dead), "silent_layers": len(whole)}
        where = tuple(sites[i].name for i in dead)
        since = self._since(trace, worst)
        return [self.finding(Severity.FAIL, where, since, message, evidence, sureness=0.85 if whole else 0.65)]

    def _varies(self, trace: Trace, layer: str) -> bool:
        """Whether what enters the layer before the activation differs from example to example."""
        place = next((i for i, site in enumerate(trace.of("layer")) if site.name == layer), None)
        rms, spread = trace[IN_RMS], trace[IN_SPREAD]
        if place is None or place >= min(rms.shape[1], spread.shape[1]):
            return True
        seen = np.isfinite(rms[:, place]) & np.isfinite(spread[:, place])
        if not seen.any():
            return True
        limit = self.limits["variation"].value
        return bool(np.median(spread[seen, place] > limit * rms[seen, place]) > 0.5)

    def _share(self, trace: Trace, i: int) -> float:
        """The typical share of dead units over the later looks; 0 where it shows in too few of them."""
        for signal, least in ((DEAD, self.limits["dead"].value), (ZERO, self.limits["silent"].value)):
            values = trace[signal]
            column = values[:, i] if i < values.shape[1] else np.empty(0)
            late = trace.at(signal)[: len(column)] >= trace.steps / 2
            seen = np.isfinite(column)
            # Looks are dense at the start: what holds in the second half of the run is what it has come to.
            column = column[seen & late] if (seen & late).sum() >= 2 else column[seen]
            if not column.size:
                continue
            if (column > least).mean() >= self.limits["looks"].value:
                return float(np.median(column[column > least]))
        return 0.0

    def _since(self, trace: Trace, i: int) -> int:
        """The first look at which the layer was silent, or else the first that knew its units dead."""
        for signal, least in ((ZERO, self.limits["silent"].value), (DEAD, self.limits["dead"].value)):
            values = trace[signal]
            rows = np.flatnonzero(values[:, i] > least) if i < values.shape[1] else np.empty(0, dtype=int)
            if rows.size:
                return int(trace.at(signal)[rows[0]])
        return 0

    @staticmethod
    def sick() -> Trace:
        """A layer with nine dead units of ten."""
        return _example(0.9, 0.95)

    @staticmethod
    def healthy() -> Trace:
        """Half of the units off for all examples, three outputs of four zero."""
        return _example(0.5, 0.75)


def _example(dead: float, zero: float) -> Trace:
    sites = [Site("activation", "relu after 0", {"fn": "relu", "role": "hidden", "after": "0"})]
    looks = np.arange(20)
    return synthetic_trace(
        {"activation": sites, "loss": ["train.py:9"]},
        {DEAD: np.full(20, dead), ZERO: np.full(20, zero), LOSS: 2.3 + 0.01 * np.sin(looks)},
    )
