"""Findings without what is to be ignored, and how much that was: nothing goes unsaid."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from trimtab.core.finding import Finding
from trimtab.core.settings import Ignore
from trimtab.core.trace import Trace

_LINE = re.compile(r"(?P<file>.+):(?P<number>\d{1,9})")
Lines = Mapping[str, set[str]]


def sift(
    findings: Sequence[Finding], ignores: Sequence[Ignore], trace: Trace
) -> tuple[list[Finding], tuple[Ignore, ...]]:
    """What is left of the findings, and the ignores with the number of findings that each has touched.

    A finding loses the names that are ignored, and is dropped with the last of them.
    """
    lines, left, counted = _lines(trace), list(findings), list[Ignore]()
    for ignore in ignores:
        results = [(finding, _without(finding, ignore, lines)) for finding in left]
        left = [finding for _, finding in results if finding is not None]
        counted.append(replace(ignore, taken=sum(before is not after for before, after in results)))
    return left, tuple(counted)


def _without(finding: Finding, ignore: Ignore, lines: Lines) -> Finding | None:
    """The finding as it is, narrowed, or None."""
    if not finding.code.startswith(ignore.code):
        return finding
    where = tuple(name for name in finding.where if not _holds(ignore, name, lines))
    if where == finding.where and (where or ignore.lines is None):
        return finding
    return replace(finding, where=where) if where else None


def _holds(ignore: Ignore, name: str, lines: Lines) -> bool:
    """Whether a name is ignored: it fits the pattern, or stands at no other line than the comment's statement."""
    if ignore.lines is None:
        return name == ignore.layer or fnmatchcase(name, ignore.layer)
    file, first, last = ignore.lines
    found = [_LINE.fullmatch(line) for line in lines.get(name, {name})]
    return all(at is None or (at["file"] == file and first <= int(at["number"]) <= last) for at in found)


def _lines(trace: Trace) -> Lines:
    """Where in the script the sites of a name stand: `train.py:57`."""
    told: dict[str, set[str]] = defaultdict(set)
    for site in (site for sites in trace.sites.values() for site in sites):
        line = site.attrs.get("line")
        if isinstance(line, str) and line:
            told[site.name].add(line)
    return dict(told)
