"""Whatever the rules say: every renderer makes something sound of it."""

from __future__ import annotations

import io
import json as standard
from html.parser import HTMLParser

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.synthetic import synthetic_trace
from trimtab.report import json, markup, terminal
from trimtab.report.document import fold, words

TEXT = st.text(st.characters(), max_size=60)
CODE = st.integers(100, 104).map("TT{}".format)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
FINDING = st.builds(
    Finding,
    code=CODE,
    name=st.sampled_from(["vanishing-gradient", "dead-relu"]),
    severity=st.sampled_from(Severity),
    where=st.lists(TEXT, max_size=5).map(tuple),
    since_step=st.integers(0, 10**9),
    message=TEXT,
    evidence=st.dictionaries(TEXT | st.sampled_from(["gain", "depth", "share"]), SCALAR, max_size=5),
    causes=st.lists(st.sampled_from(Cause), max_size=3).map(tuple),
    reveals=st.none() | st.sampled_from(Cause),
    root=st.booleans(),
    explained_by=st.lists(CODE, max_size=2).map(tuple),
)
DIAGNOSIS = st.builds(
    Diagnosis,
    status=st.sampled_from(["healthy", "sick", "unseen"]),
    steps=st.integers(0, 10**9),
    findings=st.lists(FINDING, max_size=5).map(tuple),
    script=st.none() | TEXT,
    overhead=st.floats(),
    record=st.none() | TEXT,
    trimtab=st.just("0.1.0"),
)
NOTHING = synthetic_trace({}, {})


class Tags(HTMLParser):
    """The names of the tags and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


@given(DIAGNOSIS)
def test_json_is_strict_and_valid(diagnosis: Diagnosis) -> None:
    def refuse(literal: str) -> None:
        raise AssertionError(literal)

    jsonschema.validate(standard.loads(json.dumps(diagnosis), parse_constant=refuse), json.SCHEMA)


@given(DIAGNOSIS)
def test_every_alarm_stands_in_exactly_one_place(diagnosis: Diagnosis) -> None:
    placed = [f for root, symptoms in fold(diagnosis) for f in (root, *symptoms)]
    alarms = [f for f in diagnosis.findings if f.severity > Severity.NOTE or f.explained_by]
    assert sorted(map(id, placed)) == sorted(map(id, alarms))


@given(DIAGNOSIS)
def test_the_terminal_gets_printable_lines_that_fit(diagnosis: Diagnosis) -> None:
    stream = io.StringIO()
    terminal.write(diagnosis, NOTHING, stream)
    for line in stream.getvalue().splitlines():
        assert line.isprintable()
        assert cell_len(line) <= 80 or line.startswith(" " * 14)


@given(DIAGNOSIS)
def test_html_holds_no_tag_but_ours(diagnosis: Diagnosis) -> None:
    ours = {"div", "header", "article", "h1", "h2", "p", "b", "span", "code", "pre", "dl", "dt", "dd", "class", "id"}
    ours |= {"details", "summary", "ul", "li", "br"}
    assert Tags(markup.fragment(words(diagnosis, NOTHING))).seen <= ours
