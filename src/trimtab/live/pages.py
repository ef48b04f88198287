"""The pages of `trimtab serve` around those of the report: the list of runs, and the frame in which one is shown."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from urllib.parse import quote

from trimtab.live.runs import MOST, Entry
from trimtab.report.names import clean, shorten

IN_FRAME = "frame-ancestors 'self'"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
{body}
</html>
"""
_TABLE = """<form action="{root}compare" method="get">
<div class="table"><table>
<thead><tr><th class="pick">A</th><th class="pick">B</th><th>run</th><th>started</th><th class="number">steps</th>
<th>state</th><th>diagnosis</th></tr></thead>
<tbody data-state="{state}">
{rows}
</tbody>
</table></div>
{compare}
</form>"""
_FRAME = """<body data-place="{place}" data-version="{version}" data-state="{state}">
<nav><a href="{root}">all runs</a> <b>{title}</b> <span id="state">{state}</span>
<a href="{place}/page">only this page</a></nav>
<div class="frames"><p>drawing the page …</p><iframe src="{place}/page" title="report"></iframe></div>
<script>{script}</script>
</body>"""


@dataclass(frozen=True, slots=True)
class Page:
    """HTML with the policy under which a browser may show it: no style, script or connection but what is named."""

    html: str
    policy: str


def listing(root: str, folder: str, entries: Sequence[Entry], left_out: int) -> Page:
    """The list of runs; `root` is the path of the list itself, with the token."""
    older = f": the latest {MOST} of {MOST + left_out:,}; name an older one to `trimtab serve`" if left_out else ""
    b, a = _picked(entries)
    rows = "\n".join(_row(root, entry, {"a": a, "b": b}) for entry in entries)
    table = _TABLE.format(
        root=escape(root),
        state=sha256(rows.encode()).hexdigest(),
        rows=rows,
        compare='<button type="submit">compare A with B</button>' if a else "",
    )
    shown = table if entries else "<p>There is no record here yet: <code>trimtab run script.py</code> writes one.</p>"
    script = _asset("runs.js")
    body = (
        f"<body><main>\n<h1>Runs</h1>\n<p><code>{escape(clean(folder))}</code>{older}</p>\n"
        f"{shown}\n</main>\n<script>{script}</script></body>"
    )
    return _page("trimtab: runs", body, _asset("runs.css"), script)


def frame(root: str, place: str, title: str, entry: Entry | None = None) -> Page:
    """A report at `place` with the way back above it, renewed while its run goes on."""
    script = _asset("frame.js")
    body = _FRAME.format(
        root=escape(root),
        place=escape(place),
        title=escape(clean(title)),
        version=entry.version if entry else 0,
        state=entry.state if entry else "",
        script=script,
    )
    return _page(f"trimtab: {clean(title)}", body, _asset("runs.css") + _asset("frame.css"), script)


def notice(text: str) -> Page:
    """One sentence in place of a report."""
    page = _page("trimtab", f"<body><main><p>{escape(clean(text))}</p></main></body>", _asset("runs.css"), "")
    return replace(page, policy=page.policy.replace("frame-ancestors 'none'", IN_FRAME))


def part(name: str) -> str:
    """The name of a record as a part of a path."""
    return quote(os.fsencode(name), safe="")


def _picked(entries: Sequence[Entry]) -> tuple[str, str]:
    """What is ticked: B is the newest that can be read, A the one before of the same script, else the one before."""
    whole = [entry for entry in entries if not entry.trouble]
    same = [entry for entry in whole[1:] if entry.script == whole[0].script]
    b, a = [entry.name for entry in (*whole[:1], *same[:1], *whole[1:2])][:2] if len(whole) > 1 else ("", "")
    return b, a


def _row(root: str, entry: Entry, picked: dict[str, str]) -> str:
    shown = escape(shorten(entry.name, 60))
    if entry.trouble:
        why = f'<td class="trouble" colspan="4">{escape(entry.trouble)}</td>'
        return f'<tr><td colspan="2"></td><td class="name">{shown}</td>{why}</tr>'
    picks = "".join(_pick(side, entry.name, entry.name == name) for side, name in picked.items())
    script = escape(shorten(entry.script, 40))
    link = f'<a href="{escape(root)}run/{part(entry.name)}">{shown}</a><small>{script}</small>'
    state = f'<span class="{entry.state}">{entry.state}</span>'
    diagnosis = f'<b class="{entry.status}">{entry.status}</b> {escape(clean(entry.lead))}'
    return (
        f'<tr>{picks}<td class="name">{link}</td><td class="time">{escape(_when(entry.started))}</td>'
        f'<td class="number">{entry.steps:,}</td><td>{state}</td><td>{diagnosis}</td></tr>'
    )


def _pick(side: str, name: str, checked: bool) -> str:
    """The value is percent-encoded, as a name of any bytes must be: a form would replace what is no Unicode."""
    tick = " checked" if checked else ""
    label = escape(f"{side.upper()}: {shorten(name, 60)}")
    return f'<td class="pick"><input type="radio" name="{side}" value="{part(name)}" aria-label="{label}"{tick}></td>'


def _when(started: str) -> str:
    """`2026-11-30 21:01` of an ISO time."""
    return clean(started)[:16].replace("T", " ")


def _page(title: str, body: str, style: str, script: str) -> Page:
    allowed = f"'{_hash(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {allowed}; connect-src 'self'; frame-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return Page(_PAGE.format(title=escape(title), style=style, body=body), policy)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return (files("trimtab.live") / "assets" / name).read_text(encoding="utf-8")
