"""TT405 accumulating-gradient."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LEFTOVER, LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Trace


class AccumulatingGradient(Rule):
    """The gradients of earlier steps are never cleared.

    What it measures: for each optimizer, whether its gradients were already non-zero at the beginning of every backward
    since its last step: then the step uses once more what earlier steps have used.

    Why it matters: `backward` adds to `.grad`. Without `zero_grad` a step follows the sum of all gradients so far: a
    momentum that never forgets. The loss oscillates ever wider, or runs away.

    When it is wrong: gradients that are accumulated on purpose over several backwards are cleared after the step, and
    are not counted; nor are those of a discriminator that the generator's backward leaves behind and that are cleared
    before its own.

    Sources: clinic.
    """

    code = "TT405"
    name = "accumulating-gradient"
    needs = (LEFTOVER, LOSS)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.STALE_GRADIENT
    least_steps = 5
    limits = {
        "looks": Limit(4, "clinic", "steps that were looked at and used old gradients"),
        "share": Limit(0.9, "clinic", "share of the steps after the first that must have used old gradients"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per optimizer."""
        found: list[Finding] = []
        for place, site in enumerate(trace.of("optimizer")):
            flags = column(trace, LEFTOVER, place)
            seen = np.flatnonzero(np.isfinite(flags))[1:]  # before the first step there is nothing to be left
            shown = flags[seen] > 0
            if shown.sum() < self.limits["looks"].value or shown.mean() < self.limits["share"].value:
                continue
            first = int(trace.at(LEFTOVER)[seen[shown][0]])
            message = (
                f"the gradients that {site.name} steps with are never cleared: at {int(shown.sum())} of "
                f"{len(seen)} steps they still held those of earlier steps"
            )
            evidence: dict[str, Scalar] = {"steps_with_old_gradients": int(shown.sum()), "steps_looked_at": len(seen)}
            where = (str(site.attrs.get("line") or site.name),)
            found.append(self.finding(Severity.FAIL, where, first, message, evidence, sureness=0.95))
        return found

    @staticmethod
    def sick() -> Trace:
        """Old gradients at every step but the first."""
        return _example(np.r_[0.0, np.ones(11)])

    @staticmethod
    def healthy() -> Trace:
        """Four backwards to a clearing in a program that updates by hand: three of four find gradients."""
        return _example(np.tile([0.0, 1.0, 1.0, 1.0], 6))


def _example(flags: np.ndarray) -> Trace:
    return synthetic_trace(
        {"optimizer": ["SGD"], "loss": ["train.py:9"]}, {LEFTOVER: flags, LOSS: np.linspace(2.3, 2.6, len(flags))}
    )
