"""The contract of a remedy: which causes it treats, its parameter from the measurement, and the lines to paste."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.recipe import Change
from trimtab.core.trace import Trace


@dataclass(frozen=True, slots=True)
class Remedy:
    """A classical method as a prescription. `name` is a verb phrase; `code` makes the lines to paste from a finding.

    `setting` gives the parameters to be tried, from what was measured, likeliest first; `parameter` says what they are,
    and is empty for a remedy that takes none. Rules and remedies do not know each other: they meet in the causes.
    """

    name: str
    treats: tuple[Cause, ...]
    sentence: str
    code: Callable[[Finding, Trace], str]
    suits: Callable[[Finding, Trace], bool] = lambda finding, trace: True
    parameter: str = ""
    setting: Callable[[Finding, Trace], tuple[str, ...]] = lambda finding, trace: ()


@dataclass(frozen=True, slots=True)
class Prescription:
    """A remedy for one finding, with the code to paste and the changes that a trial makes for it, likeliest first."""

    finding: Finding
    remedy: Remedy
    code: str
    changes: tuple[Change, ...] = ()
