"""The names of sites as other tools are given them: printable, and no two alike."""

from __future__ import annotations

from collections.abc import Iterable

from trimtab.core.signal import SiteKind
from trimtab.core.trace import Trace
from trimtab.report.names import clean


def site_names(trace: Trace, kind: SiteKind) -> list[str]:
    """The names of all sites of a kind, in their order; of two optimizers `SGD` the second is `SGD#2`."""
    return distinct(clean(site.name) for site in trace.of(kind))


def distinct(names: Iterable[str], mark: str = "#") -> list[str]:
    """The names, with a number behind those that stood before."""
    counts: dict[str, int] = {}
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        candidate = name
        while candidate in taken:
            counts[name] = counts.get(name, 1) + 1
            candidate = f"{name}{mark}{counts[name]}"
        taken.add(candidate)
        found.append(candidate)
    return found
