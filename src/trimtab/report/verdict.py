"""The verdict on a run, in one line."""

from __future__ import annotations

from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.signal import IN_RMS
from trimtab.core.trace import Trace
from trimtab.report.blocks import Verdict
from trimtab.report.quantity import percent

WIDTH = 80  # of a terminal: the verdict stays on one line

# Roots whose name says what the run has but not why; the others are causes by name.
BECAUSE = {
    Cause.ACTIVATION: "the activation",
    Cause.DEPTH: "depth",
    Cause.OBJECTIVE: "the objective",
    Cause.NUMERICS: "numerics",
}

# What is said of a run that did not come to its own end: nothing is known of what would have followed.
CUT_SHORT = {
    "exception": " until the script raised",
    "interrupt": " until it was interrupted",
    "terminated": " until it was terminated",
    "None": " so far",  # the run goes on, or was killed
}


def verdict(diagnosis: Diagnosis, trace: Trace, sections: list[tuple[Finding, list[Finding]]], rules: int) -> Verdict:
    """SICK, HEALTHY or UNSEEN, with the steps seen; silence is never called healthy."""
    if diagnosis.status == "unseen":
        return Verdict("unseen", "UNSEEN: no training was observed", _silence(trace))
    if diagnosis.status == "healthy":
        looks = len(trace.at(IN_RMS))
        seen = f" ({looks:,} looked at)" if 0 < looks < diagnosis.steps else ""
        until = CUT_SHORT.get(str(trace.meta.get("ended", "")), "")
        words = f"{rules} rules checked, {_steps(diagnosis)}{seen}, overhead {percent(diagnosis.overhead)}"
        return Verdict("healthy", f"HEALTHY{until}: {words}", _too_early(diagnosis))
    text = f"SICK after {_steps(diagnosis)}"
    if not sections:
        return Verdict("sick", text)
    root, symptoms = sections[0]
    text = f"{text}: {_words(root)}"
    more = _why_or_what(root, symptoms)
    return Verdict("sick", text + more if len(text + more) <= WIDTH else text, _sentence(root))


def _too_early(diagnosis: Diagnosis) -> str:
    """Which rules need more steps than the run had."""
    codes = sorted(diagnosis.waiting)
    if not codes:
        return ""
    return f"too few steps for {', '.join(codes)}: not judged before step {max(diagnosis.waiting.values())}"


def _silence(trace: Trace) -> str:
    reasons = [
        str(event.data.get("what") or event.data.get("reason") or "")
        for event in trace.events
        if event.kind == "unseen"
    ]
    return "; ".join(filter(None, reasons)) or "no backward and no optimizer step was seen, so nothing can be said"


def _why_or_what(root: Finding, symptoms: list[Finding]) -> str:
    """What is behind the root, where its name does not say; else the gravest of what it leads to."""
    if root.reveals in BECAUSE:
        return f", because of {BECAUSE[root.reveals]}"
    alarming = [symptom for symptom in symptoms if symptom.severity > Severity.NOTE]
    if not alarming:
        return ""
    gravest = max(alarming, key=lambda finding: (finding.severity, finding.sureness))
    return f", hence {_words(gravest)}"


def _sentence(root: Finding) -> str:
    return root.reveals.sentence if root.reveals else ""


def _words(finding: Finding) -> str:
    return finding.name.replace("-", " ")


def _steps(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.steps:,} step{'' if diagnosis.steps == 1 else 's'}"
