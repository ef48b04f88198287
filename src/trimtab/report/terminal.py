"""The report on a terminal: 80 columns, as readable without colour and in a pipe."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Line

from trimtab.core.finding import Diagnosis, Severity
from trimtab.core.trace import Trace
from trimtab.report.blocks import (
    Block,
    Code,
    Cure,
    Note,
    Part,
    Remark,
    Row,
    Section,
    SideBySide,
    Symptom,
    Symptoms,
    Table,
    Text,
    Trials,
    Verdict,
)
from trimtab.report.document import Document, words

WIDTH = 80
_INDENT = 12
_VERDICTS = {"sick": "bold red", "healthy": "bold green", "unseen": "bold yellow"}
_TRIALS = {"helped": "green", "no effect": "dim", "harmed": "red", "inconclusive": "yellow", "untested": "cyan"}
_SEVERITIES = {Severity.NOTE: "cyan", Severity.WARN: "yellow", Severity.FAIL: "red"}
_PLAIN = str.maketrans(
    {"·": "|", "…": "...", "–": "-", "‖": "|", "→": "->", "×": "x", "≤": "<=", "≥": ">=", "φ": "phi", "√": "sqrt "}
)


def write(diagnosis: Diagnosis, trace: Trace, file: TextIO) -> None:
    """Write the report to a stream, in colour only where the stream is a terminal that wants it (`NO_COLOR`)."""
    show(words(diagnosis, trace), file)


def show(document: Document, file: TextIO) -> None:
    """Write any document to a stream."""
    console = Console(file=file, force_jupyter=False, width=_width(file), highlight=False, legacy_windows=False)
    with console.capture() as captured:
        for line in lines(document, console.width):
            console.print(line, no_wrap=True, overflow="ignore", crop=False)
    file.write(_encodable(captured.get(), file))


def lines(document: Document, width: int) -> Iterator[Line]:
    """A document as styled lines; code is left as it is, every other line fits in `width`."""
    yield from _block(document.blocks[0], width)
    for before, block in pairwise(document.blocks):
        if not any(isinstance(block, kind) and isinstance(before, kind) for kind in (Note, Remark)):
            yield Line("")
        yield from _block(block, width)


def _width(file: TextIO) -> int:
    if not file.isatty():
        return WIDTH
    try:
        return min(max(os.get_terminal_size(file.fileno()).columns, 40), 100)
    except OSError:
        return WIDTH


def _encodable(text: str, file: TextIO) -> str:
    encoding = file.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _block(block: Block, width: int) -> Iterator[Line]:
    match block:
        case Verdict(status, text, because):
            yield from _wrapped(Line(text, _VERDICTS[status]), width, hang=2)
            if status != "sick" and because:
                yield from _wrapped(Line(because, "dim"), width)
        case Section(heading, parts):
            title = Line.assemble((heading.code, _SEVERITIES[heading.severity]), " ", (heading.name, "bold"))
            yield Line.assemble(title, "  ", (heading.aside, "dim"))
            yield from _parts(parts, width - _INDENT)
        case Note(code, name, text):
            yield from _wrapped(Line(f"note: {code} {name}: {text}", "dim"), width, hang=6)
        case Remark(text):
            yield from _wrapped(Line(text, "dim"), width, hang=2)
        case Trials(caption, rows):
            yield from _wrapped(Line(caption, "dim"), width)
            for row in rows:
                yield from _trial(row, width)
        case Cure(title, proof, steps, command):
            yield from _wrapped(Line(title, "bold green"), width)
            yield from _wrapped(Line(proof), width)
            for step in steps:
                yield from _wrapped(
                    Line.assemble((step.place, "cyan"), f"  {step.text}" if step.place else step.text), width
                )
                yield from _part(step.code, width)
            yield Line(command, "dim")
        case SideBySide(caption, head, rows):
            yield from _wrapped(Line(caption, "bold"), width)
            yield from _columns(head, rows, width)
        case _:
            return


def _columns(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: int) -> Iterator[Line]:
    """Cells under their heads; the columns share what room there is, the first and short ones get what they need."""
    table = [head, *rows] if rows else []
    widths = _widths([max(cell_len(row[c]) for row in table) for c in range(len(head))], width - 2 * len(head))
    for place, row in enumerate(table):
        cells = [list(_wrapped(Line(text), room)) or [Line("")] for text, room in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            parts = [
                _padded(cell[line] if line < len(cell) else Line(""), w) for cell, w in zip(cells, widths, strict=True)
            ]
            made = Line.assemble("  ", Line("  ").join(parts), style="" if place else "dim")
            made.rstrip()
            yield made


def _widths(wanted: list[int], room: int) -> list[int]:
    """What each column wants; where that is too much, the widest gives way first, down to 8."""
    widths = list(wanted)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return widths


def _padded(text: Line, width: int) -> Line:
    text = text.copy()
    text.pad_right(max(width - cell_len(text.plain), 0))
    return text


def _trial(row: Row, width: int) -> Iterator[Line]:
    """The verdict, recipe and numbers on a line; the recipe may go over several, and what is unusual has its reason."""
    numbers = f"{row.loss:>18} {row.effect:>7}"
    room = width - _INDENT - 2 - cell_len(numbers)
    names = list(_wrapped(Line(row.recipe.replace(",", ", ")), room)) or [Line("")]
    head, *rest = names
    head.pad_right(room - cell_len(head.plain))
    yield Line.assemble((f"  {row.verdict:<{_INDENT}}", _TRIALS[row.verdict]), head, (numbers, "dim"))
    for line in rest:
        yield Line.assemble(" " * (_INDENT + 2), line)
    if row.reason:
        for line in _wrapped(Line(row.reason, "dim"), width - _INDENT - 4):
            yield Line.assemble(" " * (_INDENT + 4), line)


def _parts(parts: Sequence[Part], room: int) -> Iterator[Line]:
    """Parts beside the column of their labels; a label that repeats is left out."""
    label = ""
    for part in parts:
        before, label = label, _label(part) or label
        for place, line in enumerate(_part(part, room)):
            margin = label if not place and label != before else ""
            yield Line.assemble((f"  {margin:<{_INDENT - 2}}", "dim"), line) if line else line


def _label(part: Part) -> str:
    match part:
        case Text(label, _) | Table(label, _):
            return label
        case Symptoms():
            return "explains"
        case Code():
            return ""


def _part(part: Part, room: int) -> Iterator[Line]:
    match part:
        case Text(_, text):
            yield from _wrapped(Line(text), room)
        case Table(_, rows):
            yield from _packed([f"{key} {value}" for key, value in rows], room)
        case Code(text):
            yield from (Line(f"  {line}" if line else "", "green") for line in text.splitlines())
        case Symptoms(items):
            yield from (_symptom(item, room) for item in items)


def _wrapped(text: Line, room: int, hang: int = 0) -> Iterator[Line]:
    """Lines of at most `room` cells, those after the first moved in by `hang`."""
    for place, line in enumerate(text.wrap(_MEASURE, room - hang)):
        line.rstrip()
        yield Line.assemble(" " * hang, line) if place else line


def _packed(items: Iterable[str], room: int) -> Iterator[Line]:
    """Items with dots between, as many on a line as fit; no item is broken unless it is longer than a line."""
    line = ""
    for item in items:
        if line and cell_len(f"{line} · {item}") > room:
            yield from _wrapped(Line(line), room)
            line = ""
        line = f"{line} · {item}" if line else item
    yield from _wrapped(Line(line), room)


def _symptom(item: Symptom, room: int) -> Line:
    """One line, cut where it ends: the page and the JSON have the rest."""
    line = Line.assemble((item.code, _SEVERITIES[item.severity]), f" {item.name}: {item.text}")
    line.truncate(room, overflow="ellipsis")
    return line


_MEASURE = Console(width=WIDTH, force_jupyter=False)
