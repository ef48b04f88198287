"""The clinic's programs are well formed; whether they are as sick as they claim is `python -m clinic verify`."""

import json

import pytest

from clinic.board import render, totals
from clinic.examine import Score, read_report
from clinic.programs import Program, discover, parse_header
from clinic.verify import METRICS, SEEDS, complaint_of_healthy, complaint_of_pair, complaints
from trimtab.rules import all_rules

PROGRAMS = discover()
CODES = {rule.code for rule in all_rules()}
BLIND = "TT901"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_program_is_standalone(program: Program):
    text = program.path.read_text(encoding="utf-8")
    compile(text, str(program.path), "exec")
    assert "trimtab" not in text
    assert "SEED" in text
    assert "metric" in text


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.kind == "sick"], ids=lambda p: p.name)
def test_sick_program_says_what_it_has_and_has_a_twin(program: Program):
    assert program.expect
    assert set(program.expect) | set(program.accept) <= CODES
    assert not set(program.expect) & set(program.accept)
    assert program.header["fault"]
    assert program.twin.exists()


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.kind == "cured"], ids=lambda p: p.name)
def test_cured_program_differs_from_its_twin_by_little(program: Program):
    sick, cured = program.twin.read_text().splitlines(), program.path.read_text().splitlines()
    assert len(set(sick) ^ set(cured)) <= 12
    assert set(program.header) == {"cure"}


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.kind == "healthy"], ids=lambda p: p.name)
def test_healthy_program_says_why_it_is_hard(program: Program):
    assert set(program.header) <= {"trap", "floor"}
    assert program.header["trap"]


def test_every_code_has_two_sick_programs():
    expected = [code for p in PROGRAMS for code in p.expect]
    assert {code for code in CODES - {BLIND} if expected.count(code) < 2} == set()


def test_stored_metrics_cover_every_program_and_show_what_they_claim():
    metrics = json.loads(METRICS.read_text())
    for p in PROGRAMS:
        assert len(metrics[p.kind][p.path.stem]) == len(SEEDS), p.name
    assert complaints(metrics, PROGRAMS) == []


def test_header_rejects_unknown_keys():
    assert parse_header("# expect: TT301, TT211\n# fault: deep\n\nimport os\n# note: x\n") == {
        "expect": "TT301, TT211",
        "fault": "deep",
    }
    with pytest.raises(ValueError, match="wrong"):
        parse_header("# wrong: x\n")


def test_discover_by_name_and_unknown_name():
    name = PROGRAMS[0].path.stem
    assert {p.kind for p in discover([name])} == {"sick", "cured"}
    with pytest.raises(KeyError, match="no such"):
        discover(["no such"])


def test_complaints():
    assert complaint_of_pair([0.1, None], [0.9, 0.8]) is None
    assert complaint_of_pair([None], [0.9]) is None
    assert complaint_of_pair([0.79], [0.8, 0.9]) is not None
    assert complaint_of_pair([0.1], [0.9, None]) is not None
    assert complaint_of_healthy([0.9], 0.8) is None
    assert complaint_of_healthy([0.7, 0.9], 0.8) is not None
    assert complaint_of_healthy([None], None) is not None


def test_score_counts_lead_and_false_alarms():
    sick = next(p for p in PROGRAMS if p.kind == "sick")
    healthy = next(p for p in PROGRAMS if p.kind == "healthy")

    def report(status: str, *findings: tuple[str, str, bool]) -> dict[str, object]:
        items = [{"code": c, "severity": severity, "root": root} for c, severity, root in findings]
        return {"status": status, "steps": 10, "overhead": 0.02, "findings": items}

    right = read_report(sick, report("sick", (sick.expect[0], "fail", True), ("TT602", "warn", False)))
    quiet = read_report(healthy, report("healthy", ("TT901", "note", True)))
    alarm = read_report(healthy, report("sick", ("TT101", "warn", True)))
    unseen = read_report(healthy, report("unseen"))
    lost = Score(sick, "error", (), (), (), 0, None, "exit 1: a | b")
    assert [s.right for s in (right, quiet, alarm, unseen, lost)] == [True, True, False, False, False]
    text = render([right, lost, quiet, alarm, unseen])
    assert "**TT101**" in text
    assert "(TT901)" in text
    assert "a / b" in text
    assert "- a right root cause leads the report: 1 of 2" in totals([right, lost])
    assert "- healthy programs flagged: 1 of 3" in totals([quiet, alarm, unseen])
