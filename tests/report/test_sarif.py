"""SARIF 2.1.0, as its standard and GitHub's code scanning want it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from trimtab.core.finding import Severity
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose
from trimtab.report import sarif
from trimtab.rules import all_rules


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
MESSAGE = closed(["text"], text=TEXT)
BAG = {"type": "object"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = closed(
    ["physicalLocation"],
    id={"type": "integer", "minimum": 0},
    message=MESSAGE,
    physicalLocation=closed(
        ["artifactLocation", "region"],
        artifactLocation=closed(["uri"], uri={"type": "string", "format": "uri-reference"}, uriBaseId=TEXT),
        region=closed(["startLine"], startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations={"type": "array", "items": closed(["fullyQualifiedName"], fullyQualifiedName=TEXT)},
)
RULE = closed(
    ["id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    id={"pattern": "^TT[0-9]{3}$"},
    name={"pattern": "^[A-Z][A-Za-z]+$"},
    shortDescription=closed(["text"], text={"type": "string", "minLength": 1, "maxLength": 1024}),
    fullDescription=closed(["text"], text={"type": "string", "minLength": 1, "maxLength": 1024}),
    help=closed(["text", "markdown"], text=TEXT, markdown=TEXT),
    defaultConfiguration=closed(["level"], level=LEVEL),
    properties=BAG,
)
RESULT = closed(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION, "maxItems": 1},
    relatedLocations={"type": "array", "items": LOCATION, "minItems": 1},
    partialFingerprints=closed(
        ["primaryLocationLineHash"], primaryLocationLineHash={"pattern": "^[0-9a-f]{16}:[0-9]+$"}
    ),
    properties=BAG,
)
RUN = closed(
    ["tool", "results"],
    tool=closed(
        ["driver"],
        driver=closed(
            ["name", "semanticVersion", "rules"],
            name={"const": "trimtab"},
            semanticVersion=TEXT,
            rules={"type": "array", "items": RULE},
        ),
    ),
    automationDetails=closed(["id"], id={"pattern": "/$"}),
    originalUriBaseIds=BAG,
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations={
        "type": "array",
        "items": closed(
            ["executionSuccessful"],
            executionSuccessful={"type": "boolean"},
            toolExecutionNotifications={"type": "array", "items": closed(["message"], level=LEVEL, message=MESSAGE)},
        ),
    },
    results={"type": "array", "items": RESULT},
)
LOG = closed(
    ["version", "runs"],
    **{"$schema": TEXT},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN, "minItems": 1, "maxItems": 1},
)


def written(case: Any, home: Path) -> dict[str, Any]:
    """The only run of the log, which is valid."""
    log = json.loads(sarif.dumps(case.diagnosis, case.trace, str(home)))
    Draft202012Validator(LOG).validate(log)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    return run


@pytest.mark.parametrize("name", ["sick", "healthy", "unseen", "vanishing"])
def test_any_diagnosis_is_a_valid_log(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    written(request.getfixturevalue(name), tmp_path)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_makes_a_valid_result(rule: Any, tmp_path: Path) -> None:
    trace: Trace = rule.sick()
    trace = replace(trace, meta={**trace.meta, "script": "train.py"})
    (tmp_path / "train.py").write_text("x = 1\n" * 40)

    class Case:
        diagnosis = diagnose(trace)

    Case.trace = trace  # type: ignore[attr-defined]
    run = written(Case, tmp_path)
    assert all(result["locations"] for result in run["results"])
    assert rule.code in {described["id"] for described in run["tool"]["driver"]["rules"]}


def test_symptoms_are_told_beside_their_root(sick: Any, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x = 1\n" * 60)
    run = written(sick, tmp_path)
    results = {result["ruleId"]: result for result in run["results"]}
    assert list(results) == ["TT101", "TT402", "TT901"]
    assert [results[code]["level"] for code in results] == ["error", "warning", "note"]
    related = [location["message"]["text"] for location in results["TT101"]["relatedLocations"]]
    assert [text[:5] for text in related] == ["TT301", "TT211"]
    assert results["TT101"]["message"]["text"].startswith("64 of 64 features entering net.0 are far from")
    assert "Next: " in results["TT101"]["message"]["text"]


def test_fingerprints_do_not_change_with_numbers_and_layers(sick: Any, tmp_path: Path) -> None:
    first = sick.diagnosis.findings[0]
    other = replace(first, message="60 of 64 features", where=("net.2",), since_step=7, evidence={})

    class Later:
        trace = sick.trace
        diagnosis = replace(sick.diagnosis, findings=(other, *sick.diagnosis.findings[1:]), steps=99)

    prints = [
        [result["partialFingerprints"] for result in written(case, tmp_path)["results"]] for case in (sick, Later)
    ]
    assert prints[0] == prints[1]


def test_a_run_that_was_not_seen_is_no_success(unseen: Any, healthy: Any, tmp_path: Path) -> None:
    (invocation,) = written(unseen, tmp_path)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"].startswith("UNSEEN")
    assert written(healthy, tmp_path)["invocations"][0]["executionSuccessful"] is True


def test_text_of_the_program_is_neither_link_nor_placeholder(vanishing: Any, tmp_path: Path) -> None:
    root = replace(vanishing.diagnosis.findings[0], message="{0} [x](1) \ud800", severity=Severity.WARN)

    class Case:
        trace = vanishing.trace
        diagnosis = replace(vanishing.diagnosis, findings=(root,))

    (result,) = written(Case, tmp_path)["results"]
    assert result["message"]["text"].startswith("{{0}} [x] (1) ")
    assert "\x1b" not in result["message"]["text"]
