"""The diagnosis as JSON, schema 1: the machine interface, documented in docs/howto/json.md."""

from __future__ import annotations

import json
import math
from typing import Any

from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.settings import Ignore
from trimtab.core.trace import Scalar

SCHEMA_VERSION = 1

_FINDING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "pattern": "^[A-Z]{2,}[0-9]{3}$", "description": "never renumbered"},
        "name": {"type": "string", "description": "never renamed"},
        "severity": {"enum": [severity.label for severity in Severity]},
        "root": {"type": "boolean", "description": "true where nothing else explains the finding"},
        "where": {"type": "array", "items": {"type": "string"}, "description": "names of the sites"},
        "since_step": {"type": "integer", "minimum": 0},
        "message": {"type": "string", "description": "one sentence of fact, for people"},
        "evidence": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "description": 'numbers behind the message; those that JSON lacks are "NaN", "Infinity", "-Infinity"',
        },
        "causes": {"type": "array", "items": {"enum": [cause.value for cause in Cause]}},
        "explained_by": {"type": "array", "items": {"type": "string"}, "description": "codes, the root first"},
    },
}

_IGNORED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "a code or the beginning of codes"},
        "layer": {"type": ["string", "null"], "description": "pattern of the names concerned; null: all"},
        "by": {"type": "string", "description": "who asked: an option, a file, a line of the script"},
        "findings": {
            "type": ["integer", "null"],
            "description": "how many it took away or narrowed; null where the rule was not asked at all",
        },
    },
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "trimtab diagnosis",
    "type": "object",
    "properties": {
        "schema": {"const": SCHEMA_VERSION},
        "trimtab": {"type": "string", "description": "version that made the diagnosis"},
        "script": {"type": ["string", "null"]},
        "status": {"enum": ["healthy", "sick", "unseen"]},
        "steps": {"type": "integer", "minimum": 0},
        "findings": {"type": "array", "items": _FINDING},
        "overhead": {"type": ["number", "null"], "description": "fraction of the run's time; null when unknown"},
        "record": {"type": ["string", "null"], "description": "path of the record"},
        "ignored": {"type": "array", "items": _IGNORED},
        "remarks": {"type": "array", "items": {"type": "string"}, "description": "for people: on the settings"},
    },
}
for _object in (SCHEMA, _FINDING, _IGNORED):
    _object["required"] = list(_object["properties"])
    _object["additionalProperties"] = False


def dumps(diagnosis: Diagnosis) -> str:
    """The diagnosis as JSON text that validates against `SCHEMA` and parses under any strict parser."""
    content = {
        "schema": SCHEMA_VERSION,
        "trimtab": _text(diagnosis.trimtab),
        "script": None if diagnosis.script is None else _text(diagnosis.script),
        "status": diagnosis.status,
        "steps": int(diagnosis.steps),
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "overhead": float(diagnosis.overhead) if math.isfinite(diagnosis.overhead) else None,
        "record": None if diagnosis.record is None else _text(diagnosis.record),
        "ignored": [_ignored(ignore) for ignore in diagnosis.ignored],
        "remarks": [_text(remark) for remark in diagnosis.remarks],
    }
    return json.dumps(content, allow_nan=False, indent=2)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.label,
        "root": bool(finding.root),
        "where": [_text(name) for name in finding.where],
        "since_step": int(finding.since_step),
        "message": _text(finding.message),
        "evidence": {_text(key): _scalar(value) for key, value in finding.evidence.items()},
        "causes": [cause.value for cause in finding.causes],
        "explained_by": list(finding.explained_by),
    }


def _ignored(ignore: Ignore) -> dict[str, Any]:
    return {
        "code": ignore.code,
        "layer": _text(ignore.layer) or None,
        "by": _text(ignore.source),
        "findings": ignore.taken,
    }


def _scalar(value: Scalar) -> Scalar:
    value = getattr(value, "item", lambda: value)()
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _text(text: str) -> str:
    """Undecodable file names reach Python as lone surrogates, which strict parsers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
