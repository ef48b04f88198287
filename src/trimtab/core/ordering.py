"""Which finding explains which: roots first, symptoms folded beneath what causes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity

# A finding that is itself a cause is only ever explained by one that stands earlier in the list of causes: faults of
# the program come before what enters the model, that before what the model starts with, that before how it is stepped,
# and that before what then happens inside.
RANK: tuple[Cause, ...] = tuple(Cause)


def order(findings: Sequence[Finding], excluded: Collection[Cause] = ()) -> tuple[Finding, ...]:
    """Findings with `root` and `explained_by` filled in: roots first, surest first, then what they explain.

    `excluded` are causes that were looked for and not found: a root no longer suspects them.

    F is explained by R when R reveals a cause that F suspects, R ranks earlier, and both make a run sick: a note
    neither explains nor needs explaining. `explained_by` begins with the root of the chain.
    """
    serious = [f for f in findings if f.severity > Severity.NOTE]
    parents = {id(f): _parent(f, serious) for f in serious}
    placed: list[Finding] = []
    for finding in findings:
        chain = _chain(finding, parents)
        root = finding in serious and not chain
        causes = tuple(c for c in finding.causes if c not in excluded) if root else finding.causes
        placed.append(replace(finding, root=root, explained_by=chain, causes=causes))
    return tuple(sorted(placed, key=_place))


def _parent(finding: Finding, findings: Sequence[Finding]) -> Finding | None:
    """The explanation of a finding: of several, the one whose cause ranks first."""
    able = [
        other
        for other in findings
        if other.reveals is not None
        and other.reveals in finding.causes
        and other.code != finding.code
        and _rank(other) < _rank(finding)
    ]
    return min(able, key=lambda f: (_rank(f), -f.severity, -f.sureness), default=None)


def _rank(finding: Finding) -> int:
    return len(RANK) if finding.reveals is None else RANK.index(finding.reveals)


def _chain(finding: Finding, parents: dict[int, Finding | None]) -> tuple[str, ...]:
    codes: list[str] = []
    parent = parents.get(id(finding))
    while parent is not None:
        codes.append(parent.code)
        parent = parents.get(id(parent))
    return tuple(dict.fromkeys(reversed(codes)))


def _place(finding: Finding) -> tuple[bool, bool, float, float, int, str]:
    return (
        not finding.root,
        finding.severity == Severity.NOTE,
        -finding.severity,
        -finding.sureness,
        finding.since_step,
        finding.code,
    )
