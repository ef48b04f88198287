"""The contract of a remedy: which causes it treats, and the lines to paste."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.trace import Trace


@dataclass(frozen=True, slots=True)
class Remedy:
    """A classical method as a prescription. `name` is a verb phrase; `code` makes the lines to paste from a finding.

    Rules and remedies do not know each other: they meet in the causes.
    """

    name: str
    treats: tuple[Cause, ...]
    sentence: str
    code: Callable[[Finding, Trace], str]
    suits: Callable[[Finding, Trace], bool] = lambda finding, trace: True


@dataclass(frozen=True, slots=True)
class Prescription:
    """A remedy for one finding, with the code to paste."""

    finding: Finding
    remedy: Remedy
    code: str
