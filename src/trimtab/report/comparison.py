"""Two runs as a report: the verdicts, the findings, the set-up and the measurements side by side."""

from __future__ import annotations

from collections.abc import Iterator

from trimtab.core.finding import Diagnosis, Finding
from trimtab.core.trace import Trace
from trimtab.report.blocks import Block, SideBySide
from trimtab.report.contrast import Contrast, Pair, contrast
from trimtab.report.document import Document
from trimtab.report.figures import overlay
from trimtab.report.names import clean, shorten
from trimtab.report.quantity import number, percent

_NONE = "–"


def compare(a: Trace, b: Trace) -> Document:
    """What changed from run A to run B, with their losses in one chart."""
    return compose_contrast(contrast(a, b), a, b)


def compose_contrast(found: Contrast, a: Trace, b: Trace, charts: bool = True) -> Document:
    """The report on a contrast; without the chart for a terminal."""
    blocks = list(_blocks(found))
    chart = overlay.chart(a, b) if charts else None
    return Document(tuple(blocks if chart is None else [*blocks, chart]))


def _blocks(found: Contrast) -> Iterator[Block]:
    yield SideBySide(_sentence(found), ("", "A", "B"), tuple(_verdicts(found)), leading=True)
    rows = [
        (word, f"{finding.code} {finding.name}", _severity(finding))
        for word, findings in (("gone", found.gone), ("new", found.new), ("stayed", found.stayed))
        for finding in findings
    ]
    if rows:
        yield SideBySide("Findings", ("", "finding", "severity"), tuple(rows))
    caption = "Set-up" if found.setup else "Set-up: no difference that the records show"
    yield SideBySide(caption, ("", "A", "B") if found.setup else (), tuple(_cells(row) for row in found.setup))
    if found.pairs:
        caption = f"Measurements. The losses are not compared: {found.apart}" if found.apart else "Measurements"
        rows = tuple(_measurement(pair) for pair in found.pairs)
        yield SideBySide(caption, ("", "A", "B", "change"), rows)


def _sentence(found: Contrast) -> str:
    """What came of it, in a sentence."""
    a, b = found.a.status, found.b.status
    text = f"A and B are {a}" if a == b else f"A is {a}, B is {b}"
    end = next((pair for pair in found.pairs if pair.name == "loss at the end"), None)
    if end is None or end.a is None or end.b is None or found.apart:
        return text
    return f"{text}; the loss ends at {number(end.a)} in A and at {number(end.b)} in B"


def _verdicts(found: Contrast) -> Iterator[tuple[str, ...]]:
    both = (found.a, found.b)
    yield "verdict", *(diagnosis.status for diagnosis in both)
    yield "root cause", *(_roots(diagnosis) for diagnosis in both)
    yield "record", *(shorten(diagnosis.record, 30) if diagnosis.record else _NONE for diagnosis in both)


def _roots(diagnosis: Diagnosis) -> str:
    roots = [root for root in diagnosis.roots if root.severity]
    if not roots:
        return _NONE
    more = f" and {len(roots) - 1} more" if len(roots) > 1 else ""
    return f"{roots[0].code} {roots[0].name}{more}"


def _severity(finding: Finding) -> str:
    return f"{finding.severity.label}, root cause" if finding.root and finding.severity else finding.severity.label


def _cells(row: tuple[str, str, str]) -> tuple[str, ...]:
    name, a, b = row
    return clean(name), clean(a) or _NONE, clean(b) or _NONE


def _measurement(pair: Pair) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        return _NONE if value is None else percent(value) if pair.share else number(value)

    return pair.name, shown(pair.a), shown(pair.b), _change(pair)


def _change(pair: Pair) -> str:
    """Per cent, of shares in points, and a factor where the number has more than trebled."""
    if pair.share and pair.a is not None and pair.b is not None:
        points = round(100 * (pair.b - pair.a), 1)
        return f"{points:+g} points" if points else "0"
    if pair.change is None:
        return ""
    if pair.change > 2 and pair.a and pair.b:
        return f"× {number(pair.b / pair.a)}"
    return f"{100 * pair.change:+.0f} %" if round(100 * pair.change) else "0 %"
