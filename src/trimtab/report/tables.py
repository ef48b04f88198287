"""The blocks of a report that are tables, as HTML."""

from __future__ import annotations

from html import escape

from trimtab.report.blocks import LayerRow, Layers, Row, SideBySide, Trials


def picker(table: Layers) -> str:
    """Where a layer is chosen: hidden until the page's script has charts to mark it in."""
    options = "".join(f'<option value="{row.place}">{escape(row.label)}</option>' for row in table.rows)
    return (
        '<form class="picker" hidden><label>Layer <select><option value="-1">all</option>'
        f'{options}</select></label> <output aria-live="polite"></output></form>'
    )


def layers(block: Layers) -> str:
    """Folded: a row for each layer, whose name is a button that marks it."""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in ("layer", *block.head))
    inner = "\n".join(map(_layer, block.rows))
    return (
        f'<details class="layers"><summary>The layers as numbers</summary><p>{escape(block.caption)}</p>'
        f'<div class="wide"><table><thead><tr>{titles}</tr></thead>\n<tbody>{inner}</tbody></table></div></details>'
    )


def _layer(row: LayerRow) -> str:
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
    name = f'<button type="button" aria-pressed="false">{escape(row.name)}</button>'
    return f'<tr data-place="{row.place}"><th scope="row">{name}</th>{cells}</tr>'


def side_by_side(block: SideBySide) -> str:
    """Two runs in columns."""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in block.head)
    lines = (f'<tr><th scope="row">{escape(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in block.rows)
    table = f"<table><thead><tr>{titles}</tr></thead>\n<tbody>{''.join(lines)}</tbody></table>" if block.rows else ""
    level = "h1" if block.leading else "h2"
    return f'<section class="compared"><{level}>{escape(block.caption)}</{level}>{table}</section>'


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def trials(block: Trials) -> str:
    """What was tried, a row each."""
    inner = "\n".join(map(_trial, block.rows))
    head = "<tr><th>verdict<th>recipe<th>loss<th>change</tr>"
    return f'<section class="trials"><p>{escape(block.caption)}</p><table>{head}\n{inner}</table></section>'


def _trial(row: Row) -> str:
    reason = f'<br><span class="aside">{escape(row.reason)}</span>' if row.reason else ""
    recipe = escape(row.recipe).replace(",", ",<wbr>")
    return (
        f'<tr class="{row.verdict.replace(" ", "-")}"><td>{escape(row.verdict)}<td><code>{recipe}</code>{reason}'
        f"<td>{escape(row.loss)}<td>{escape(row.effect)}</tr>"
    )
