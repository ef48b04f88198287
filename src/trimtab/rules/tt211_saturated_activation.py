"""TT211 saturated-activation."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS, SATURATED, STUCK
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace


class SaturatedActivation(Rule):
    """Hidden sigmoid or tanh units sit where the function is flat.

    What it measures: the share of outputs whose slope is below 5 % of the slope at 0 (|tanh| > 0.975; a sigmoid outside
    0.0127 … 0.9873), for activations that lie between weight layers.

    Why it matters: a saturated unit passes no gradient on: neither its own weights nor the layers below can learn.

    When it is wrong: gates of LSTM and GRU, and the output of a classifier, saturate as they should and are not judged.
    Units may saturate late in a run that learns well; later looks count only while the loss stands still or grows.

    Sources: glorot2010, lecun1998.
    """

    code = "TT211"
    name = "saturated-activation"
    needs = (SATURATED, STUCK, LOSS)
    suspects = (*OF_THE_PROGRAM, *OF_THE_START, Cause.ACTIVATION_SCALE, Cause.STEP_TOO_LARGE)
    reveals = Cause.SATURATION
    limits = {
        "layer": Limit(
            0.5, "clinic", "share of saturated outputs of one layer; Xavier with tanh's gain has at most 0.2"
        ),
        "all": Limit(0.2, "clinic", "the same, median over all hidden layers, of which there are several"),
        "first_looks": Limit(5, "clinic", "looks at the start that count in any case"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding, for the start or else for the end of the run."""
        values = trace[SATURATED]
        hidden = [i for i, s in enumerate(trace.of("activation")[: values.shape[1]]) if s.attrs.get("role") == "hidden"]
        hidden = [i for i in hidden if np.isfinite(values[:, i]).any()]
        if not hidden:
            return []
        early = self._judge(trace, hidden, values[: int(self.limits["first_looks"].value)], "from the start")
        if early:
            return early
        course = main_course(trace)
        if course is None or course.learned or len(values) < 10:
            return []
        return self._judge(trace, hidden, values[-max(len(values) // 5, 3) :], "by now")

    def _judge(self, trace: Trace, hidden: list[int], looks: Floats, when: str) -> list[Finding]:
        seen = [i for i in hidden if np.isfinite(looks[:, i]).any()]
        shares = {i: float(np.nanmedian(looks[:, i])) for i in seen}
        if not shares:
            return []
        over = [i for i in seen if shares[i] > self.limits["layer"].value]
        typical = float(np.median(list(shares.values())))
        if not over and (len(seen) < 2 or typical <= self.limits["all"].value):
            return []
        over = over or seen
        worst = max(over, key=lambda i: shares[i])
        sites = trace.of("activation")
        since = int(trace.at(SATURATED)[np.flatnonzero(trace[SATURATED][:, worst] >= 0.9 * shares[worst])[0]])
        message = (
            f"{shares[worst]:.0%} of the outputs of {sites[worst].name} are saturated {when}"
            f" ({len(over)} of {len(seen)} hidden activations above the limit)"
        )
        stuck = trace[STUCK]
        evidence: dict[str, Scalar] = {"saturated": shares[worst], "layers": len(over), "hidden": len(seen)}
        if stuck.size and worst < stuck.shape[1] and np.isfinite(stuck[:, worst]).any():
            evidence["stuck"] = float(np.nanmedian(stuck[:, worst]))
        where = tuple(sites[i].name for i in over)
        return [self.finding(Severity.FAIL, where, since, message, evidence, sureness=0.7)]

    @staticmethod
    def sick() -> Trace:
        """Two tanh layers, nine tenths of whose outputs are saturated."""
        return _example(0.9)

    @staticmethod
    def healthy() -> Trace:
        """Xavier with tanh's gain: a tenth of the outputs."""
        return _example(0.12)


def _example(share: float) -> Trace:
    sites = [Site("activation", f"tanh after {i}", {"fn": "tanh", "role": "hidden", "after": str(i)}) for i in range(2)]
    return synthetic_trace(
        {"activation": sites, "loss": ["train.py:9"]},
        {SATURATED: np.full((20, 2), share), STUCK: np.full((20, 2), share / 2), LOSS: np.linspace(2.3, 2.2, 20)},
    )
