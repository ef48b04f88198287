"""The report as one HTML file that opens anywhere, without a network and without asking for one."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.report.blocks import Chart
from trimtab.report.document import Document, compose
from trimtab.report.markup import body

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
{charts}
</body>
</html>
"""
_CHARTS = """<script type="application/json" id="charts">{specs}</script>
<script>{script}</script>"""


def render(diagnosis: Diagnosis, trace: Trace) -> str:
    """The page as text; write it in UTF-8. At most 2 MB, whatever the size of the run."""
    return of_document(compose(diagnosis, trace), f"trimtab: {diagnosis.status}")


def of_document(document: Document, title: str) -> str:
    """Any document as a page."""
    specs = [block.figure.spec() for block in document.blocks if isinstance(block, Chart)]
    return _PAGE.format(
        policy=_policy(bool(specs)),
        title=escape(title),
        style=_asset("page.css"),
        body=body(document),
        charts=_CHARTS.format(specs=_embedded(specs), script=_script()) if specs else "",
    )


def _policy(scripted: bool) -> str:
    """Nothing is loaded, and no script runs but the one whose hash is named: escaping is not the only wall."""
    allowed = f"'sha256-{b64encode(sha256(_script().encode()).digest()).decode()}'" if scripted else "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _embedded(content: object) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


@lru_cache(maxsize=1)
def _script() -> str:
    """The page's own script bundled with Vega-Embed, Vega-Lite and Vega: made once, it takes about a second."""
    import vl_convert

    return vl_convert.javascript_bundle(_asset("page.js")).replace("</script", "<\\/script")


def _asset(name: str) -> str:
    return (files("trimtab.report") / "assets" / name).read_text(encoding="utf-8")
