"""From a trace to a verdict: the rules, then the causes that order what they found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from trimtab import remedies
from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Finding, Severity, Status
from trimtab.core.ignoring import sift
from trimtab.core.ordering import order
from trimtab.core.registry import select as select_codes
from trimtab.core.remedy import Prescription
from trimtab.core.rule import Rule
from trimtab.core.settings import Settings
from trimtab.core.suppression import suppressions
from trimtab.core.trace import Trace
from trimtab.record import read
from trimtab.report.display import DisplayedDiagnosis
from trimtab.rules import OURS, all_rules
from trimtab.version import __version__

DEFAULTS = Settings()


class HasTrace(Protocol):
    """A watcher, or anything else that can say what it has measured so far."""

    def trace(self) -> Trace: ...


def to_trace(source: Trace | HasTrace | str | os.PathLike[str]) -> Trace:
    """A trace from a trace, a watcher or the path of a record."""
    if isinstance(source, Trace):
        return source
    if isinstance(source, (str, os.PathLike)):
        return read(source)
    if callable(getattr(source, "trace", None)):
        return source.trace()
    raise TrimtabError(f"diagnose takes a watcher, a trace or the path of a record; got {type(source).__name__}")


def diagnose(
    source: Trace | HasTrace | str | os.PathLike[str],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    settings: Settings = DEFAULTS,
) -> DisplayedDiagnosis:
    """Say what is wrong with a run, root causes first.

    `select` and `ignore` take codes or their prefixes, over what `settings` say. A run in which no training was
    observed is `unseen`, never healthy. Raises TrimtabError for an unknown code or an unreadable record.
    """
    trace = to_trace(source)
    rules = {rule.code: rule for rule in all_rules(settings.plugins)}
    asked, remarks = _asked(settings.with_words(select, ignore, names=("select", "ignore")), trace, list(rules))
    unasked = [each.code for each in asked.ignores if each.everywhere]
    chosen = [rules[code] for code in select_codes(list(rules), [*asked.select], unasked)]
    found = [finding for rule in chosen for finding in _check(rule, trace, remarks)]
    left, sifted = sift(found, [each for each in asked.ignores if not each.everywhere], trace)
    # What is ignored in some place was found all the same: its cause is not among those that are ruled out.
    present = {finding.reveals for finding in found}
    findings = order(left, {rule.reveals for rule in chosen if rule.reveals} - present)
    in_use = [rule for rule in chosen if any(len(trace.at(signal)) for signal in rule.needs)]
    meta = trace.meta
    overhead = meta.get("overhead")
    return DisplayedDiagnosis(
        status=_status(trace, findings),
        steps=trace.steps,
        findings=findings,
        script=_text(meta.get("script")),
        overhead=float(overhead) if isinstance(overhead, (int, float)) else 0.0,
        record=_text(meta.get("path")),
        trimtab=__version__,
        checked=tuple(rule.code for rule in in_use if rule.least_steps <= trace.steps),
        waiting={rule.code: rule.least_steps for rule in in_use if rule.least_steps > trace.steps},
        ignored=(*(each for each in asked.ignores if each.everywhere), *sifted),
        remarks=tuple(remarks),
        trace=trace,
    )


def _asked(settings: Settings, trace: Trace, codes: list[str]) -> tuple[Settings, list[str]]:
    """The settings with what the script's own comments ask for, and remarks on both."""
    settings.check(codes)
    ignores, remarks = suppressions(trace.meta.get("suppressions"), codes)
    if settings.select:
        remarks.insert(0, f"only {', '.join(settings.select)} asked for ({settings.selected_by})")
    return replace(settings, ignores=(*settings.ignores, *ignores)), remarks


def _check(rule: Rule, trace: Trace, remarks: list[str]) -> list[Finding]:
    """What a rule finds. One of a plugin that fails is left out, with a remark: the others' findings stand."""
    if rule.code.startswith(OURS):
        return rule.check(trace)
    try:
        return list(rule.check(trace))
    except Exception as error:
        remarks.append(f"{rule.code} {rule.name}, a rule of a plugin, failed: {type(error).__name__}: {error}")
        return []


def prescribe(diagnosis: DisplayedDiagnosis) -> list[Prescription]:
    """Remedies for the root causes of a diagnosis, likeliest first, each with the lines to paste.

    Nothing is prescribed for a healthy run. `trimtab fix` tries them on a script, `trimtab.verify` on a function.
    """
    return [each for root in diagnosis.roots for each in remedies.prescribe(root, diagnosis.trace)]


def _status(trace: Trace, findings: Sequence[Finding]) -> Status:
    if any(finding.severity > Severity.NOTE for finding in findings):
        return "sick"
    return "healthy" if trace.steps else "unseen"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
