"""The contract of a remedy: which causes it treats, its parameter from the measurement, and the lines to paste."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.recipe import Change
from trimtab.core.trace import Trace

# Where in a script a change is made: where the model, the optimizer or the loader is built, where the model is called,
# the loss computed, the backward pass run, the step made.
Place = Literal["model", "optimizer", "data", "call", "loss", "backward", "step"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """A classical method as a prescription.

    `name` is a verb phrase, `place` where in a script it is done; `code` makes the lines to paste from a finding and a
    parameter. `setting` gives the parameters to be tried, from what was measured, likeliest first; `parameter` says
    what they are, and is empty for a remedy that takes none. Rules and remedies do not know each other: they meet in
    the causes.
    """

    name: str
    place: Place
    treats: tuple[Cause, ...]
    sentence: str
    code: Callable[[Finding, Trace, str | None], str]
    suits: Callable[[Finding, Trace], bool] = lambda finding, trace: True
    parameter: str = ""
    setting: Callable[[Finding, Trace], tuple[str, ...]] = lambda finding, trace: ()


@dataclass(frozen=True, slots=True)
class Prescription:
    """A remedy for one finding, with the code to paste and the changes that a trial makes for it, likeliest first.

    A remedy with a parameter that nothing measured suggests has no changes.
    """

    finding: Finding
    remedy: Remedy
    code: str
    changes: tuple[Change, ...] = ()
