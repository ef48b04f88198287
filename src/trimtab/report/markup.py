"""Blocks as HTML: everything that comes from the script is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from trimtab.core.finding import Severity
from trimtab.report.blocks import (
    Block,
    Chart,
    Code,
    Cure,
    Footer,
    Heading,
    Note,
    Part,
    Remark,
    Row,
    Section,
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
    charts = 0
    for block in document.blocks:
        if isinstance(block, Chart):
            yield _chart(block, charts)
            charts += 1
        else:
            yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Verdict(status, text, because):
            word, rest = text[: len(status)], text[len(status) :].lstrip(":")
            detail = f"<p>{escape(because[:1].upper() + because[1:])}.</p>" if because else ""
            return f'<header class="{status}"><h1><b>{escape(word)}</b>{escape(rest)}</h1>{detail}</header>'
        case Section(heading, parts):
            inner = "\n".join(_part(part) for part in parts)
            return f'<article class="{heading.severity.label}">{_heading(heading)}\n{inner}</article>'
        case Note(code, name, text):
            return f'<p class="note"><code>{escape(code)}</code> {escape(name)}: {escape(text)}</p>'
        case Remark(text):
            return f'<p class="note">{escape(text)}</p>'
        case Footer(rows):
            return f"<footer>{_pairs(rows)}</footer>"
        case Trials(caption, rows):
            inner = "\n".join(_trial(row) for row in rows)
            head = "<tr><th>verdict<th>recipe<th>loss<th>change</tr>"
            return f'<section class="trials"><p>{escape(caption)}</p><table>{head}\n{inner}</table></section>'
        case Cure(title, proof, steps, command):
            inner = "\n".join(_step(step) for step in steps)
            foot = f"<p><code>{escape(command)}</code></p>" if command else ""
            return f'<article class="cure"><h2>{escape(title)}</h2><p>{escape(proof)}</p>{inner}{foot}</article>'
        case Chart():
            return ""


def _trial(row: Row) -> str:
    reason = f'<br><span class="aside">{escape(row.reason)}</span>' if row.reason else ""
    recipe = escape(row.recipe).replace(",", ",<wbr>")
    return (
        f'<tr class="{row.verdict.replace(" ", "-")}"><td>{escape(row.verdict)}<td><code>{recipe}</code>{reason}'
        f"<td>{escape(row.loss)}<td>{escape(row.effect)}</tr>"
    )


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
            rows = "\n".join(f"<li>{_symptom(item)}</li>" for item in items)
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
        f"<figure><h2>{escape(chart.title)}</h2>"
        f'<div class="chart" data-chart="{number}" role="img" aria-label="{alt}"><p>{alt}</p></div>'
        f"<figcaption>{escape(chart.caption)}</figcaption></figure>"
    )
