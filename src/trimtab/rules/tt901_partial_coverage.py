"""TT901 partial-coverage."""

from __future__ import annotations

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Trace


class PartialCoverage(Rule):
    """The watcher could not see part of the run, and says which and why.

    What it measures: places where the graph of the loss is closed to it: compiled models, reentrant checkpoints,
    graphs too large to walk, an error of its own.

    Why it matters: what was not seen was not judged; a verdict of healthy holds for the rest only.

    When it is wrong: never a fault of the run; always a note.

    Sources: clinic.
    """

    code = "TT901"
    name = "partial-coverage"
    needs = (LOSS,)
    reveals = Cause.BLINDNESS

    def check(self, trace: Trace) -> list[Finding]:
        """One note per reason."""
        return [self._note(event) for event in trace.events if event.kind == "unseen"]

    def _note(self, event: Event) -> Finding:
        reason = event.data.get("reason")
        message = f"not seen: {event.data.get('what')}"
        return self.finding(Severity.NOTE, (), event.step, message, {"reason": reason}, sureness=1.0)

    @staticmethod
    def sick() -> Trace:
        """A compiled model."""
        event = Event(0, "unseen", {"reason": "compiled", "what": "the inside of a compiled model"})
        return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: [1.0, 0.9]}, events=[event])

    @staticmethod
    def healthy() -> Trace:
        """A run seen whole."""
        return synthetic_trace({"loss": ["train.py:9"]}, {LOSS: [1.0, 0.9]})
