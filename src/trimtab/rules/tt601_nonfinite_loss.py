"""TT601 nonfinite-loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trimtab.core.cause import OF_THE_PROGRAM, OF_THE_START, Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Scalar, Trace

EVERY_ORIGIN = (
    *OF_THE_PROGRAM,
    *OF_THE_START,
    Cause.ACTIVATION_SCALE,
    Cause.GRADIENT_SCALE,
    Cause.STEP_TOO_LARGE,
    Cause.SPIKES,
)


class NonfiniteLoss(Rule):
    """The loss is NaN or Inf.

    What it measures: the scalar on which `backward` is called, at every step. At the first value that is not finite the
    graph of that loss is searched, in execution order, for the first operation whose result is not finite.

    Why it matters: one step with a NaN gradient makes every weight NaN, and no later step can mend it.

    When it is wrong: a script may skip such a batch itself; a loss that is finite again afterwards is a warning only.

    Sources: ieee754.
    """

    code = "TT601"
    name = "nonfinite-loss"
    needs = (LOSS,)
    suspects = EVERY_ORIGIN
    reveals = Cause.NUMERICS

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for each loss that is NaN or Inf at some step."""
        found: list[Finding] = []
        losses, steps = trace[LOSS], trace.at(LOSS)
        events = [event for event in trace.events if event.kind == "first-nonfinite"]
        for i, site in enumerate(trace.of("loss")):
            column = losses[:, i] if i < losses.shape[1] else np.empty(0)
            bad = np.flatnonzero(np.isinf(column))
            if not bad.size:
                continue
            first, recovered = int(bad[0]), bool(np.isfinite(column[bad[-1] :]).any())
            event = next((e for e in events if e.data.get("line") in (site.name, None)), None)
            found.append(self._finding(site.name, int(steps[first]), len(bad), recovered, event))
        return found

    def _finding(self, name: str, step: int, count: int, recovered: bool, event: Event | None) -> Finding:
        kind = str(event.data.get("loss")) if event is not None and event.data.get("loss") else "not finite"
        evidence: dict[str, Scalar] = {"value": kind, "steps_nonfinite": count}
        where: tuple[str, ...] = (name,)
        message = f"the loss at {name} is {kind} from step {step} on"
        if recovered:
            message = (
                f"the loss at {name} is {kind} at {count} steps, first at step {step}, and finite again afterwards"
            )
        if event is not None and event.data.get("phase") == "forward":
            operation, layer = event.data.get("operation"), event.data.get("layer")
            evidence |= {"operation": operation, "layer": layer}
            place = f" after {layer}" if layer else ""
            message += f"; the first result that is not finite is that of {operation}{place}"
            where = (str(layer), name) if layer else (name,)
        elif event is not None and event.data.get("phase") == "weights":
            evidence["parameter"] = event.data.get("parameter")
            message += (
                f"; the weights were not finite before it ({event.data.get('parameter')}), so the step before it did it"
            )
        severity = Severity.WARN if recovered else Severity.FAIL
        finding = self.finding(severity, where, step, message, evidence, sureness=1.0)
        if event is not None and event.data.get("phase") == "weights":
            # The operation that failed is that of the step before: this loss shows it and is not the cause.
            return replace(finding, reveals=None, causes=(*self.suspects, Cause.NUMERICS))
        return finding

    @staticmethod
    def sick() -> Trace:
        """A loss that turns NaN at step 3."""
        return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: [2.3, 2.2, 2.4, np.inf, np.inf]})

    @staticmethod
    def healthy() -> Trace:
        """Two losses that take turns: a step without a loss is not a NaN."""
        turns = [[2.3, np.nan], [np.nan, 0.7], [2.2, np.nan], [np.nan, 0.6]]
        return synthetic_trace({"loss": ["train.py:9", "train.py:14"]}, {LOSS: turns})
