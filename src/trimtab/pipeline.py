"""From a trace to a verdict: the rules, then the causes that order what they found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from trimtab import remedies
from trimtab.core.errors import TrimtabError
from trimtab.core.remedy import Prescription
from trimtab.core.settings import Settings
from trimtab.core.trace import Trace
from trimtab.record import read
from trimtab.report.display import DisplayedDiagnosis
from trimtab.rules.judging import DEFAULTS, judge


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
    return DisplayedDiagnosis.of(judge(trace, select, ignore, settings), trace)


def prescribe(diagnosis: DisplayedDiagnosis) -> list[Prescription]:
    """Remedies for the root causes of a diagnosis, likeliest first, each with the lines to paste.

    Nothing is prescribed for a healthy run. `trimtab fix` tries them on a script, `trimtab.verify` on a function.
    """
    return [each for root in diagnosis.roots for each in remedies.prescribe(root, diagnosis.trace)]
