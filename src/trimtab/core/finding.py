"""What a rule reports, and the diagnosis that all findings make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from trimtab.core.cause import Cause
from trimtab.core.settings import Ignore
from trimtab.core.trace import Scalar

Status = Literal["healthy", "sick", "unseen"]


class Severity(IntEnum):
    """`note` never makes a run sick; `warn` and `fail` do."""

    NOTE = 0
    WARN = 1
    FAIL = 2

    @property
    def label(self) -> str:
        """The public name: note, warn or fail."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in one sentence of fact with number, unit and place.

    `causes` are suspected by the rule. `reveals` is set where the finding *is* a cause, so that it can explain others.
    `sureness` in [0, 1] orders findings of equal rank. `root` and `explained_by` are filled in by the diagnosis.
    """

    code: str
    name: str
    severity: Severity
    where: tuple[str, ...]
    since_step: int
    message: str
    evidence: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    causes: tuple[Cause, ...] = ()
    reveals: Cause | None = None
    sureness: float = 0.5
    root: bool = False
    explained_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on a run: root causes first, surest first; symptoms name what explains them.

    `checked` are the codes of the rules that were asked and had something to look at; `waiting` maps those that were
    asked too early to the number of steps that they need. `ignored` is what was asked to be left out; `remarks` say
    what else of the settings a reader has to know.
    """

    status: Status
    steps: int
    findings: tuple[Finding, ...]
    script: str | None
    overhead: float
    record: str | None
    trimtab: str
    checked: tuple[str, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict[str, int])
    ignored: tuple[Ignore, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[Finding, ...]:
        """Findings that nothing else explains."""
        return tuple(f for f in self.findings if f.root)

    def symptoms_of(self, root: Finding) -> tuple[Finding, ...]:
        """Findings folded under `root`: those whose first explanation is its code."""
        return tuple(f for f in self.findings if f.explained_by[:1] == (root.code,))
