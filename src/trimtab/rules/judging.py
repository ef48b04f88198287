"""All rules on one trace: what they find, in order, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.core.finding import Diagnosis, Finding, Severity, Status
from trimtab.core.ordering import order
from trimtab.core.registry import select as select_codes
from trimtab.core.trace import Trace
from trimtab.rules import all_rules
from trimtab.version import __version__


def judge(trace: Trace, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Diagnosis:
    """The diagnosis of a trace, root causes first; raises TrimtabError for an unknown code."""
    rules = {rule.code: rule for rule in all_rules()}
    chosen = [rules[code] for code in select_codes(list(rules), [*select], [*ignore])]
    found = [finding for rule in chosen for finding in rule.check(trace)]
    present = {finding.reveals for finding in found}
    findings = order(found, {rule.reveals for rule in chosen if rule.reveals} - present)
    asked = [rule for rule in chosen if any(len(trace.at(signal)) for signal in rule.needs)]
    overhead = trace.meta.get("overhead")
    return Diagnosis(
        status=_status(trace, findings),
        steps=trace.steps,
        findings=findings,
        script=_text(trace.meta.get("script")),
        overhead=float(overhead) if isinstance(overhead, (int, float)) else 0.0,
        record=_text(trace.meta.get("path")),
        trimtab=__version__,
        checked=tuple(rule.code for rule in asked if rule.least_steps <= trace.steps),
        waiting={rule.code: rule.least_steps for rule in asked if rule.least_steps > trace.steps},
    )


def _status(trace: Trace, findings: Sequence[Finding]) -> Status:
    if any(finding.severity > Severity.NOTE for finding in findings):
        return "sick"
    return "healthy" if trace.steps else "unseen"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
