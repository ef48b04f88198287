from __future__ import annotations

import io
import os
import pty
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from trimtab.core.cause import Cause
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event
from trimtab.report import terminal
from trimtab.report.verdict import verdict
from trimtab.rules import all_rules

Golden = Callable[[str, str], None]


def written(case, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    terminal.write(case.diagnosis, case.trace, stream)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


def on_a_terminal(case) -> str:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        terminal.write(case.diagnosis, case.trace, stream)
    text = os.read(master, 65536).decode()
    os.close(master)
    return text


@pytest.mark.usefixtures("prescribed")
@pytest.mark.parametrize("name", ["sick", "unseen", "vanishing"])
def test_golden(name: str, golden: Golden, request: pytest.FixtureRequest) -> None:
    golden(f"{name}.txt", written(request.getfixturevalue(name)))


def test_a_healthy_run_takes_a_few_lines_and_says_what_was_checked(healthy) -> None:
    first, *rest = written(healthy).splitlines()
    assert first.startswith("HEALTHY: ")
    assert "rules checked, 1,500 steps, overhead 1.23 %" in first
    assert rest == ["", "note: TT901 partial-coverage: not seen: the inside of a compiled model"]


def test_silence_is_never_healthy_and_says_what_is_known(unseen) -> None:
    trace = synthetic_trace({}, {}, events=[Event(0, "unseen", {"reason": "the loop ran in another process"})])
    text = written(replace(unseen, trace=trace))
    assert text == "UNSEEN: no training was observed\nthe loop ran in another process\n"


@pytest.mark.usefixtures("prescribed")
def test_symptoms_stand_under_their_root_and_nowhere_else(sick) -> None:
    lines = written(sick).splitlines()
    headings = [line.split()[0] for line in lines if line.startswith("TT")]
    assert headings == ["TT101", "TT402"]
    assert sum("TT301" in line for line in lines) == 1
    assert lines[0] == "SICK after 240 steps: input not normalized, hence vanishing gradient"


@pytest.mark.usefixtures("prescribed")
def test_the_code_to_paste_is_never_wrapped(sick, monkeypatch: pytest.MonkeyPatch) -> None:
    from trimtab import remedies
    from trimtab.core.remedy import Prescription, Remedy

    long = "if True:\n    x = " + " + ".join(["[bold]value"] * 20)
    remedy = Remedy("add-up", "model", (), "Add.", lambda finding, trace, value: long)
    monkeypatch.setattr(remedies, "prescribe", lambda finding, trace: [Prescription(finding, remedy, long)])
    shown = [line.strip() for line in written(sick).splitlines()]
    assert "if True:" in shown
    assert long.splitlines()[1].strip() in shown


@pytest.mark.usefixtures("prescribed")
@pytest.mark.parametrize("name", ["sick", "healthy", "unseen", "vanishing"])
def test_eighty_columns_and_no_trailing_blanks(name: str, request: pytest.FixtureRequest) -> None:
    for line in written(request.getfixturevalue(name)).splitlines():
        assert cell_len(line) <= 80
        assert line == line.rstrip()


def test_names_cannot_steer_the_terminal_or_forge_a_line(vanishing) -> None:
    text = written(vanishing)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31m\\nTT999" in text
    assert not any(line.startswith("TT999") for line in text.splitlines())
    assert "net[bold]" in text


def test_colour_on_a_terminal_only(sick, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in written(sick)
    assert "\x1b[1;31mSICK" in on_a_terminal(sick)


def test_no_color_is_honoured(sick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in on_a_terminal(sick)


def test_a_stream_that_knows_ascii_only(sick) -> None:
    text = written(sick, "ascii")
    assert "mean 130 | sd 70.1" in text
    assert "?" not in text


def test_the_verdict_stays_on_one_line(vanishing) -> None:
    (found,) = vanishing.diagnosis.findings
    for root in all_rules():
        for symptom in all_rules():
            cause = replace(found, code=root.code, name=root.name, reveals=root.reveals)
            effect = replace(found, code=symptom.code, name=symptom.name)
            diagnosis = replace(vanishing.diagnosis, steps=10_000, findings=(cause, effect))
            line = verdict(diagnosis, vanishing.trace, [(cause, [effect])], rules=28).text
            assert len(line) <= 80 and line.startswith(f"SICK after 10,000 steps: {root.name.replace('-', ' ')}")


def test_remedies_of_other_suspects_stand_aside_where_the_cause_was_found(vanishing) -> None:
    root = replace(vanishing.diagnosis.findings[0], causes=(Cause.OUTLIERS,), reveals=Cause.INPUT_SCALE)
    for finding, shown in ((root, False), (replace(root, reveals=None), True)):
        text = written(replace(vanishing, diagnosis=replace(vanishing.diagnosis, findings=(finding,))))
        assert ("between backward and step" in text or "or clip by value" in text) is shown
        assert ("Standardise each feature" in text) is not shown
