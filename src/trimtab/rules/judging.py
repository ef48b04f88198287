"""All rules on one trace: what they find, in order, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trimtab.core.finding import Diagnosis, Finding, Severity, Status
from trimtab.core.ignoring import sift
from trimtab.core.ordering import order
from trimtab.core.registry import select as select_codes
from trimtab.core.rule import Rule
from trimtab.core.settings import Settings
from trimtab.core.suppression import suppressions
from trimtab.core.trace import Trace
from trimtab.rules import OURS, all_rules
from trimtab.version import __version__

DEFAULTS = Settings()


def judge(
    trace: Trace, select: Sequence[str] = (), ignore: Sequence[str] = (), settings: Settings = DEFAULTS
) -> Diagnosis:
    """The diagnosis of a trace, root causes first; raises TrimtabError for an unknown code."""
    rules = {rule.code: rule for rule in all_rules(settings.plugins)}
    asked, remarks = _asked(settings.with_words(select, ignore, names=("select", "ignore")), trace, list(rules))
    everywhere = [each for each in asked.ignores if each.everywhere]
    chosen = [rules[code] for code in select_codes(list(rules), [*asked.select], [each.code for each in everywhere])]
    checked = [(rule, _check(rule, trace, remarks)) for rule in chosen]
    found = [finding for _, findings in checked for finding in findings or ()]
    left, sifted = sift(found, [each for each in asked.ignores if not each.everywhere], trace)
    # What is ignored in some place was found all the same: its cause is not among those that are ruled out.
    present = {finding.reveals for finding in found}
    sound = [rule for rule, findings in checked if findings is not None]
    findings = order(left, {rule.reveals for rule in sound if rule.reveals} - present)
    in_use = [rule for rule in sound if any(len(trace.at(signal)) for signal in rule.needs)]
    overhead = trace.meta.get("overhead")
    return Diagnosis(
        status=_status(trace, findings),
        steps=trace.steps,
        findings=findings,
        script=_text(trace.meta.get("script")),
        overhead=float(overhead) if isinstance(overhead, (int, float)) else 0.0,
        record=_text(trace.meta.get("path")),
        trimtab=__version__,
        checked=tuple(rule.code for rule in in_use if rule.least_steps <= trace.steps),
        waiting={rule.code: rule.least_steps for rule in in_use if rule.least_steps > trace.steps},
        ignored=(*everywhere, *sifted),
        remarks=tuple(remarks),
    )


def _asked(settings: Settings, trace: Trace, codes: list[str]) -> tuple[Settings, list[str]]:
    """The settings with what the script's own comments ask for, and remarks on both."""
    settings.check(codes)
    ignores, remarks = suppressions(trace.meta.get("suppressions"), codes)
    if settings.select:
        remarks.insert(0, f"only {', '.join(settings.select)} asked for ({settings.selected_by})")
    return replace(settings, ignores=(*settings.ignores, *ignores)), remarks


def _check(rule: Rule, trace: Trace, remarks: list[str]) -> list[Finding] | None:
    """What a rule finds. One of a plugin that fails has checked nothing, with a remark: the others' findings stand."""
    if rule.code.startswith(OURS):
        return rule.check(trace)
    try:
        return list(rule.check(trace))
    except Exception as error:
        remarks.append(f"{rule.code} {rule.name}, a rule of a plugin, failed: {type(error).__name__}: {error}")
        return None


def _status(trace: Trace, findings: Sequence[Finding]) -> Status:
    if any(finding.severity > Severity.NOTE for finding in findings):
        return "sick"
    return "healthy" if trace.steps else "unseen"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
