"""TT303 nonfinite-gradient."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import DELTA_NORM, GRAD_RMS, GRAD_USED_RMS, LOSS, LOSS_SCALE
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace
from trimtab.rules.tt601_nonfinite_loss import EVERY_ORIGIN


class NonfiniteGradient(Rule):
    """A gradient is NaN or Inf while the loss is finite.

    What it measures: the RMS of every parameter's gradient after `backward`, in which a single NaN or Inf shows, and
    the gradient at the output of every layer: the layer nearest the loss where it is not finite is named.

    Why it matters: the next step makes the weights NaN. The usual origin is an operation whose slope is infinite where
    its value is fine: sqrt or a norm at 0, the sd of one value, x ** 0.5.

    When it is wrong: a GradScaler skips such steps by design while it looks for its scale; those are not counted as
    long as they are few.

    Sources: ieee754, micikevicius2018.
    """

    code = "TT303"
    name = "nonfinite-gradient"
    needs = (GRAD_RMS, GRAD_USED_RMS, DELTA_NORM, LOSS, LOSS_SCALE)
    suspects = EVERY_ORIGIN
    reveals = Cause.NUMERICS
    limits = {
        "scaled_share": Limit(0.5, "micikevicius2018", "share of scaled steps that may overflow while the scale adapts")
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for the first step whose gradient is not finite though its loss is."""
        grads, steps = trace[GRAD_RMS], trace.at(GRAD_RMS)
        if not grads.size:
            return self._from_weights(trace)
        finite_loss = _finite_loss_steps(trace)
        bad_steps = [i for i in np.flatnonzero(np.isinf(grads).any(axis=1)) if int(steps[i]) in finite_loss]
        if not bad_steps:
            return self._from_weights(trace)
        if trace[LOSS_SCALE].size and len(bad_steps) <= self.limits["scaled_share"].value * len(steps):
            return []
        return [self._finding(trace, int(bad_steps[0]), int(steps[bad_steps[0]]))]

    def _finding(self, trace: Trace, row: int, step: int) -> Finding:
        names = tuple(trace.of("parameter")[i].name for i in np.flatnonzero(np.isinf(trace[GRAD_RMS][row])))
        layer = _nearest_the_loss(trace, step)
        where = (layer,) if layer else names[:1]
        message = (
            f"the gradient is not finite at step {step} though the loss is: "
            f"{len(names)} of {len(trace.of('parameter'))} parameters"
        ) + (f", coming down from {layer}" if layer else "")
        evidence: dict[str, Scalar] = {"parameters": len(names), "first": names[0] if names else None, "layer": layer}
        return self.finding(Severity.FAIL, where, step, message, evidence, sureness=0.95)

    def _from_weights(self, trace: Trace) -> list[Finding]:
        """On a step that was not looked at, the gradient shows in the weights that it leaves behind."""
        for event in trace.events:
            if event.kind == "first-nonfinite" and event.data.get("phase") == "weights" and event.step > 0:
                if _was_finite(trace, event.step - 1):
                    return []  # the update itself left its range
                name = str(event.data.get("parameter"))
                message = (
                    f"the step before step {event.step} left {name} not finite though the loss was finite: "
                    "its gradient was not"
                )
                return [self.finding(Severity.FAIL, (name,), event.step - 1, message, {"first": name}, sureness=0.8)]
        return []

    @staticmethod
    def sick() -> Trace:
        """A gradient that is NaN at step 2 under a finite loss."""
        grads = [[0.1, 0.2], [0.1, 0.2], [np.inf, np.inf]]
        return synthetic_trace(
            {"parameter": ["0.weight", "0.bias"], "loss": ["train.py:9"]}, {GRAD_RMS: grads, LOSS: [1.0, 0.9, 0.8]}
        )

    @staticmethod
    def healthy() -> Trace:
        """A scaler that finds its scale: the first gradients overflow, later ones do not."""
        grads = [[np.inf, np.inf]] * 2 + [[0.1, 0.2]] * 8
        return synthetic_trace(
            {"parameter": ["0.weight", "0.bias"], "loss": ["train.py:9"]},
            {GRAD_RMS: grads, LOSS: [1.0] * 10, LOSS_SCALE: [65536.0] * 10},
        )


def _was_finite(trace: Trace, step: int) -> bool:
    """Whether the gradients of a step were looked at, and all of them finite."""
    rows = np.flatnonzero(trace.at(GRAD_RMS) == step)
    return rows.size > 0 and not np.isinf(trace[GRAD_RMS][rows[0]]).any()


def _finite_loss_steps(trace: Trace) -> set[int]:
    losses = trace[LOSS]
    finite = np.isfinite(losses).any(axis=1) & ~np.isinf(losses).any(axis=1)
    return {int(step) for step in trace.at(LOSS)[finite]}


def _nearest_the_loss(trace: Trace, step: int) -> str | None:
    """The last layer in execution order whose output's gradient is not finite."""
    rows = np.flatnonzero(trace.at(DELTA_NORM) == step)
    if not rows.size:
        return None
    norms = trace[DELTA_NORM][rows[0]]
    sites: list[tuple[int, Site]] = [(i, s) for i, s in enumerate(trace.of("layer")) if i < len(norms)]
    broken = [(s.attrs.get("order") or 0, s.name) for i, s in sites if np.isinf(norms[i])]
    return max(broken, key=lambda pair: float(pair[0] or 0))[1] if broken else None
