"""The contract of a rule: what it needs, what it suspects, and a pure function from trace to findings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.signal import Signal
from trimtab.core.sources import SOURCES
from trimtab.core.trace import Scalar, Trace


@dataclass(frozen=True, slots=True)
class Limit:
    """A number with the reason for it: a key of the bibliography and one line of explanation."""

    value: float
    source: str
    why: str

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"a limit cites {self.source!r}, which is not in the bibliography (core/sources.py)")


class Rule(ABC):
    """One thing that can be wrong with a run. A concrete rule is one file and carries its documentation.

    The docstring has the sections *What it measures*, *Why it matters*, *When it is wrong*, *Sources*.
    `sick` and `healthy` give the synthetic traces that serve as its example in tests and documentation.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    needs: ClassVar[tuple[Signal, ...]]
    suspects: ClassVar[tuple[Cause, ...]] = ()
    reveals: ClassVar[Cause | None] = None
    limits: ClassVar[dict[str, Limit]] = {}
    least_steps: ClassVar[int] = 1  # with fewer it cannot acquit: what it does not find there may still come

    @abstractmethod
    def check(self, trace: Trace) -> list[Finding]:
        """Findings in this trace; a pure function that never raises on missing signals."""

    @staticmethod
    @abstractmethod
    def sick() -> Trace:
        """A small synthetic trace on which the rule reports."""

    @staticmethod
    @abstractmethod
    def healthy() -> Trace:
        """A small synthetic trace, near the limit, on which it stays quiet."""

    def finding(
        self,
        severity: Severity,
        where: tuple[str, ...],
        since_step: int,
        message: str,
        evidence: dict[str, Scalar],
        *,
        sureness: float = 0.5,
        causes: tuple[Cause, ...] | None = None,
        reveals: Cause | None = None,
    ) -> Finding:
        """A finding of this rule; `causes` and `reveals` default to what the rule declares."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity,
            where=where,
            since_step=since_step,
            message=message,
            evidence=evidence,
            causes=self.suspects if causes is None else causes,
            reveals=self.reveals if reveals is None else reveals,
            sureness=sureness,
        )
