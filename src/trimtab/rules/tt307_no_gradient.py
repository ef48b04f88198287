"""TT307 no-gradient."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import CALLED, LOSS, OWNED, REACHED
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class NoGradient(Rule):
    """A trainable parameter never gets a gradient.

    What it measures: whether each parameter that an optimizer holds, and that asks for a gradient, has one when the
    optimizer steps; and where it has none, whether the module that it belongs to was called in that step.

    Why it matters: a module that is called and gets no gradient has been cut off, by `detach`, `.data`, `no_grad`, a
    detour through NumPy or an operation like argmax. It stays at its random start, and nothing says so. One that is
    never called is forgotten in `forward`.

    When it is wrong: parameters that are used only at times (an expert, one task of several, a layer that is unfrozen
    later) get their gradient at some look, and are not reported. A layer that is kept for later and never called is a
    note in a run that learns well.

    Sources: clinic.
    """

    code = "TT307"
    name = "no-gradient"
    needs = (REACHED, CALLED, OWNED, LOSS)
    suspects = (Cause.UNOPTIMIZED,)
    reveals = Cause.DISCONNECTED
    least_steps = 3
    limits = {
        "looks": Limit(3, "clinic", "looks at which the parameter was asked for its gradient, and had none"),
        "share": Limit(0.01, "clinic", "numbers without gradient over all that are trained: fewer are a note"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for what is cut off, and one for what is never called."""
        lost = [i for i in range(len(trace.of("parameter"))) if self._never(trace, i)]
        if not lost or not self._others_are_reached(trace):
            return []
        cut = [i for i in lost if bool((measured(trace, CALLED, i) > 0).any())]
        idle = [i for i in lost if i not in cut]
        found = [self._cut(trace, cut)] if cut else []
        return found + ([self._idle(trace, idle)] if idle else [])

    def _never(self, trace: Trace, place: int) -> bool:
        reached = measured(trace, REACHED, place)
        return len(reached) >= self.limits["looks"].value and not reached.any()

    @staticmethod
    def _others_are_reached(trace: Trace) -> bool:
        """An optimizer none of whose parameters gets a gradient holds the wrong ones: another rule's business."""
        return any(bool((measured(trace, REACHED, i) > 0).any()) for i in range(len(trace.of("parameter"))))

    def _cut(self, trace: Trace, places: list[int]) -> Finding:
        names = _layers(trace, places)
        message = (
            f"{_first(names)} is called and never gets a gradient: {len(places)} trainable parameters are cut off from "
            f"the loss, and stay as they started"
        )
        evidence = self._evidence(trace, places, True)
        return self.finding(Severity.FAIL, names, 0, message, evidence, sureness=0.9)

    def _idle(self, trace: Trace, places: list[int]) -> Finding:
        names = _layers(trace, places)
        message = f"{_first(names)} never takes part in the loss: {len(places)} trainable parameters get no gradient"
        evidence = self._evidence(trace, places, False)
        course = main_course(trace)
        small = float(evidence["share"] or 0) < self.limits["share"].value
        harmless = small or (course is not None and course.learned_well)
        severity = Severity.NOTE if harmless else Severity.WARN
        return self.finding(severity, names, 0, message, evidence, sureness=0.6)

    @staticmethod
    def _evidence(trace: Trace, places: list[int], called: bool) -> dict[str, Scalar]:
        sizes = [float(site.attrs.get("numel") or 1) for site in trace.of("parameter")]
        share = sum(sizes[i] for i in places) / max(sum(sizes), 1)
        return {"parameters": len(places), "share": share, "called": called}

    @staticmethod
    def sick() -> Trace:
        """An encoder that is called and gets nothing, beneath a head that learns."""
        return _example(0.0)

    @staticmethod
    def healthy() -> Trace:
        """An expert that is used at some steps only."""
        return _example(np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0]))


def _layers(trace: Trace, places: list[int]) -> tuple[str, ...]:
    sites = [trace.of("parameter")[i] for i in places]
    return tuple(dict.fromkeys(str(site.attrs.get("layer") or site.name) for site in sites))


def _first(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"


def _example(reached: float | np.ndarray) -> Trace:
    sites = [
        Site("parameter", f"{layer}.weight", {"role": "weight", "layer": layer, "numel": 64})
        for layer in ("encoder", "head")
    ]
    encoder = np.broadcast_to(reached, 6)
    return synthetic_trace(
        {"parameter": sites, "loss": ["train.py:9"]},
        {
            REACHED: np.stack([encoder, np.ones(6)], 1),
            CALLED: np.stack([np.where(encoder == 0, 1.0, np.nan), np.full(6, np.nan)], 1),
            LOSS: np.linspace(2.3, 2.0, 6),
        },
    )
