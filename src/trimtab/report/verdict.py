"""The verdict on a run, in one line."""

from __future__ import annotations

from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.trace import Trace
from trimtab.report.blocks import Verdict
from trimtab.report.quantity import percent

PHRASES = {
    Cause.NONFINITE_DATA: "NaN or Inf in data",
    Cause.INPUT_SCALE: "the input scale",
    Cause.WEIGHT_SCALE: "the initial weights",
    Cause.ACTIVATION: "the activation",
    Cause.SATURATION: "saturated units",
    Cause.DEPTH: "depth",
    Cause.STEP_TOO_LARGE: "too large steps",
    Cause.STEP_TOO_SMALL: "too small steps",
    Cause.GRADIENT_SCALE: "uneven gradients",
    Cause.DEAD_UNITS: "dead units",
    Cause.NUMERICS: "numerics",
    Cause.OBJECTIVE: "the objective",
    Cause.BLINDNESS: "blind spots",
}
_TELLING = {Cause.ACTIVATION, Cause.DEPTH, Cause.OBJECTIVE}  # the others repeat the name of what reveals them


def verdict(diagnosis: Diagnosis, trace: Trace, sections: list[tuple[Finding, list[Finding]]], rules: int) -> Verdict:
    """SICK, HEALTHY or UNSEEN, with the steps seen; silence is never called healthy."""
    if diagnosis.status == "unseen":
        return Verdict("unseen", "UNSEEN: no training was observed", _silence(trace))
    if diagnosis.status == "healthy":
        words = f"HEALTHY: {rules} rules checked, {_steps(diagnosis)}, overhead {percent(diagnosis.overhead)}"
        return Verdict("healthy", words)
    text = f"SICK after {_steps(diagnosis)}"
    if not sections:
        return Verdict("sick", text)
    worst, cause = _worst(*sections[0])
    because = f", because of {PHRASES[cause]}" if cause else ""
    return Verdict("sick", f"{text}: {_words(worst)}{because}", cause.sentence if cause else "")


def _silence(trace: Trace) -> str:
    reasons = [str(event.data.get("reason", "")) for event in trace.events if event.kind == "unseen"]
    return "; ".join(filter(None, reasons)) or "no backward and no optimizer step was seen, so nothing can be said"


def _worst(root: Finding, symptoms: list[Finding]) -> tuple[Finding, Cause | None]:
    """What the run has, and why: a root whose cause says more than its name, else the gravest symptom of the root."""
    if root.reveals in _TELLING:
        return root, root.reveals
    alarming = [symptom for symptom in symptoms if symptom.severity > Severity.NOTE]
    if root.reveals and alarming:
        return max(alarming, key=lambda finding: (finding.severity, finding.sureness)), root.reveals
    return root, None


def _words(finding: Finding) -> str:
    return finding.name.replace("-", " ")


def _steps(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.steps:,} step{'' if diagnosis.steps == 1 else 's'}"
