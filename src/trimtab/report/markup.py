"""Blocks as HTML: everything that comes from the script is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from trimtab.core.finding import Severity
from trimtab.report import tables
from trimtab.report.blocks import (
    Block,
    Chain,
    Chart,
    Code,
    Cure,
    Footer,
    Heading,
    Layers,
    Link,
    Note,
    Part,
    Remark,
    Section,
    SideBySide,
    Step,
    Symptom,
    Symptoms,
    Table,
    Text,
    Trials,
    Verdict,
)
from trimtab.report.document import Document


def fragment(document: Document) -> str:
    """A document as HTML that needs neither styles nor scripts: what a notebook shows."""
    return f'<div class="trimtab">{body(document)}</div>'


def body(document: Document) -> str:
    """The blocks of a document, one after the other; each chart is an empty frame with its number in `data-chart`."""
    return "\n".join(_blocks(document))


def _blocks(document: Document) -> Iterator[str]:
    """Charts that follow each other stand in one grid, below the place where a layer is chosen."""
    table = next((block for block in document.blocks if isinstance(block, Layers)), None)
    charts = 0
    for drawn, group in groupby(document.blocks, lambda block: isinstance(block, Chart)):
        if not drawn:
            yield from map(_block, group)
            continue
        frames = [_chart(chart, number) for number, chart in enumerate(group, charts) if isinstance(chart, Chart)]
        charts += len(frames)
        picker = tables.picker(table) if table else ""
        yield f'<section class="charts">{picker}\n' + "\n".join(frames) + "</section>"


def _block(block: Block) -> str:
    match block:
        case Verdict(status, text, because):
            word, rest = text[: len(status)], text[len(status) :].lstrip(":")
            detail = f"<p>{escape(because[:1].upper() + because[1:])}.</p>" if because else ""
            return f'<header class="{status}"><h1><b>{escape(word)}</b>{escape(rest)}</h1>{detail}</header>'
        case Chain(cause, root, symptoms):
            return _chain(cause, root, symptoms)
        case Layers():
            return tables.layers(block)
        case Section(heading, parts):
            inner = "\n".join(_part(part) for part in parts)
            opening = f'<article id="{escape(heading.code)}" class="{heading.severity.label}">'
            return f"{opening}{_heading(heading)}\n{inner}</article>"
        case Note(code, name, text):
            return f'<p class="note"><code>{escape(code)}</code> {escape(name)}: {escape(text)}</p>'
        case Remark(text):
            return f'<p class="note">{escape(text)}</p>'
        case Footer(rows):
            return f"<footer>{_pairs(rows)}</footer>"
        case Trials():
            return tables.trials(block)
        case Cure(title, proof, steps, command):
            inner = "\n".join(_step(step) for step in steps)
            foot = f"<p><code>{escape(command)}</code></p>" if command else ""
            return f'<article class="cure"><h2>{escape(title)}</h2><p>{escape(proof)}</p>{inner}{foot}</article>'
        case SideBySide():
            return tables.side_by_side(block)
        case Chart():
            return ""


def _chain(cause: Link | None, root: Link, symptoms: tuple[Link, ...]) -> str:
    """A list in the order of cause and effect; the symptoms, which have no order, are one item."""
    items = [f'<li class="cause">{_link(cause)}</li>'] if cause else []
    items.append(f'<li class="root">{_link(root)}</li>')
    if symptoms:
        items.append(f'<li class="symptoms">{" ".join(_link(link) for link in symptoms)}</li>')
    return f'<nav aria-label="From cause to symptom"><ol class="chain">{"".join(items)}</ol></nav>'


def _link(link: Link) -> str:
    words = escape(link.text.replace("-", " "))
    code = escape(link.code)
    return f'<a href="#{code}"><b>{words}</b> <code>{code}</code></a>' if code else f"<span><b>{words}</b></span>"


def _step(step: Step) -> str:
    place = f"<code>{escape(step.place)}</code> " if step.place else ""
    return f"<p>{place}{escape(step.text)}</p>{_part(step.code)}"


def _heading(heading: Heading) -> str:
    return (
        f"<h2>{escape(heading.name)} <code>{escape(heading.code)}</code> "
        f'<span class="aside">{escape(heading.aside)}</span></h2>'
    )


def _part(part: Part) -> str:
    match part:
        case Text(label, text):
            return f'<p class="{label}"><span class="label">{label}</span> {escape(text)}</p>'
        case Table(_, rows):
            return _pairs(rows)
        case Code(text):
            return f"<pre><code>{escape(text)}</code></pre>"
        case Symptoms(items):
            count = f"{len(items)} symptom{'' if len(items) == 1 else 's'}"
            rows = "\n".join(f'<li id="{escape(item.code)}">{_symptom(item)}</li>' for item in items)
            return f"<details><summary>Explains {count}</summary><ul>{rows}</ul></details>"


def _symptom(item: Symptom) -> str:
    where = f' <span class="aside">{escape(item.where)}</span>' if item.where else ""
    severity = item.severity.label if item.severity > Severity.NOTE else "note"
    return (
        f'<code class="{severity}">{escape(item.code)}</code> <b>{escape(item.name)}</b>{where}<br>{escape(item.text)}'
    )


def _pairs(rows: tuple[tuple[str, str], ...]) -> str:
    inner = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in rows)
    return f"<dl>{inner}</dl>"


def _chart(chart: Chart, number: int) -> str:
    alt = escape(chart.alt)
    return (
        f'<figure class="{chart.width}"><h2>{escape(chart.title)}</h2>'
        f'<div class="chart" data-chart="{number}" role="img" aria-label="{alt}"><p>{alt}</p></div>'
        f"<figcaption>{escape(chart.caption)}</figcaption></figure>"
    )
