from __future__ import annotations

import json as standard
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from trimtab.report import comparison_json, json, study_json

DOCUMENT = Path(__file__).parents[2] / "docs" / "howto" / "json.md"


def strict(text: str):
    def refuse(literal: str):
        raise AssertionError(f"{literal} is not JSON")

    return standard.loads(text, parse_constant=refuse)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.SCHEMA)


@pytest.mark.parametrize("name", ["sick", "healthy", "unseen", "vanishing"])
def test_every_status_validates(name: str, request: pytest.FixtureRequest) -> None:
    diagnosis = request.getfixturevalue(name).diagnosis
    content = strict(json.dumps(diagnosis))
    jsonschema.validate(content, json.SCHEMA)
    assert content["schema"] == 1
    assert content["status"] == diagnosis.status
    assert [f["code"] for f in content["findings"]] == [f.code for f in diagnosis.findings]


def test_a_finding_keeps_all_that_is_known(sick) -> None:
    symptom = strict(json.dumps(sick.diagnosis))["findings"][2]
    assert symptom == {
        "code": "TT301",
        "name": "vanishing-gradient",
        "severity": "fail",
        "root": False,
        "where": ["net.0", "net.2", "net.4", "net.6"],
        "since_step": 0,
        "message": sick.diagnosis.findings[2].message,
        "evidence": {"gain": 0.126, "reach": 3.2e-5, "depth": 6},
        "causes": ["input-scale", "depth"],
        "explained_by": ["TT101"],
    }


def test_numbers_that_json_lacks_are_strings(sick) -> None:
    evidence = {
        "nan": np.nan,
        "up": np.inf,
        "down": -np.inf,
        "array": np.float32(0.5),
        "count": np.int64(3),
        "no": None,
    }
    root = replace(sick.diagnosis.findings[0], evidence=evidence)
    content = strict(json.dumps(replace(sick.diagnosis, findings=(root,), overhead=float("nan"))))
    jsonschema.validate(content, json.SCHEMA)
    assert content["findings"][0]["evidence"] == {
        "nan": "NaN",
        "up": "Infinity",
        "down": "-Infinity",
        "array": 0.5,
        "count": 3,
        "no": None,
    }
    assert content["overhead"] is None


def test_a_script_name_that_is_no_text_still_makes_text(sick) -> None:
    text = json.dumps(replace(sick.diagnosis, script="caf\udce9.py"))
    assert strict(text)["script"] == "caf?.py"
    text.encode("utf-8")


def test_the_document_names_every_field() -> None:
    diagnosis, study, comparison = re.split(r"^## .*", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = set(re.findall(r"^\| `(\w+)`", diagnosis, re.MULTILINE))
    finding = json.SCHEMA["properties"]["findings"]["items"]
    ignored = json.SCHEMA["properties"]["ignored"]["items"]
    assert told == set(json.SCHEMA["properties"]) | set(finding["properties"]) | set(ignored["properties"])
    told = set(re.findall(r"^\| `(\w+)`", study, re.MULTILINE))
    assert told == set(study_json.SCHEMA["properties"]) | set(
        study_json.SCHEMA["properties"]["trials"]["items"]["properties"]
    )
    assert set(re.findall(r"^\| `(\w+)`", comparison, re.MULTILINE)) == set(comparison_json.SCHEMA["properties"])


def test_the_example_in_the_document_validates() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    jsonschema.validate(strict(example), json.SCHEMA)
