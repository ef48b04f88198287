"""The remedies: one file each, found by the causes that they treat."""

from __future__ import annotations

from functools import cache

from trimtab.core.finding import Finding
from trimtab.core.recipe import Change
from trimtab.core.registry import instances_of
from trimtab.core.remedy import Prescription, Remedy
from trimtab.core.trace import Trace


@cache
def all_remedies() -> tuple[Remedy, ...]:
    """Every remedy, by name."""
    return tuple(sorted(instances_of("trimtab.remedies", Remedy), key=lambda remedy: remedy.name))


def prescribe(finding: Finding, trace: Trace) -> list[Prescription]:
    """What to do about a finding: remedies of the cause that it is, then of those that it suspects."""
    causes = ([finding.reveals] if finding.reveals is not None else []) + list(finding.causes)
    fitting = [
        (causes.index(cause), remedy)
        for remedy in all_remedies()
        for cause in remedy.treats
        if cause in causes and remedy.suits(finding, trace)
    ]
    ordered = dict.fromkeys(remedy for _, remedy in sorted(fitting, key=lambda pair: (pair[0], pair[1].name)))
    return [_prescription(remedy, finding, trace) for remedy in ordered]


def named(name: str) -> Remedy | None:
    """The remedy of this name."""
    return next((remedy for remedy in all_remedies() if remedy.name == name), None)


def _prescription(remedy: Remedy, finding: Finding, trace: Trace) -> Prescription:
    if not remedy.parameter:
        return Prescription(finding, remedy, remedy.code(finding, trace, None), (Change(remedy.name),))
    changes = tuple(Change(remedy.name, value) for value in remedy.setting(finding, trace))
    first = changes[0].value if changes else None
    return Prescription(finding, remedy, remedy.code(finding, trace, first), changes)
