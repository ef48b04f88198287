"""Two runs side by side as JSON, schema 1: documented in docs/json.md."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from trimtab.core.finding import Diagnosis, Finding
from trimtab.report.contrast import Contrast, Pair

SCHEMA_VERSION = 1

_NUMBER = {"type": ["number", "null"], "description": "null where it is not known or not finite"}
_RUN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "record": {"type": ["string", "null"]},
        "script": {"type": ["string", "null"]},
        "status": {"enum": ["healthy", "sick", "unseen"]},
        "steps": {"type": "integer", "minimum": 0},
        "roots": {"type": "array", "items": {"type": "string"}, "description": "codes of the root causes"},
    },
}
_CODES = {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2,}[0-9]{3}$"}}
_FINDINGS: dict[str, Any] = {"type": "object", "properties": {"gone": _CODES, "new": _CODES, "stayed": _CODES}}
_SETTING: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "a": {"type": "string"}, "b": {"type": "string"}},
}
_MEASURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "a": _NUMBER,
        "b": _NUMBER,
        "change": {**_NUMBER, "description": "(b − a) / |a|; null where the two cannot be compared"},
    },
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "trimtab comparison",
    "type": "object",
    "properties": {
        "schema": {"const": SCHEMA_VERSION},
        "a": _RUN,
        "b": _RUN,
        "findings": _FINDINGS,
        "setup": {"type": "array", "items": _SETTING, "description": "what differs"},
        "measurements": {"type": "array", "items": _MEASURE},
        "apart": {"type": "string", "description": "why the losses cannot be compared; empty where they can"},
    },
}
for _object in (SCHEMA, _RUN, _FINDINGS, _SETTING, _MEASURE):
    _object["required"] = list(_object["properties"])
    _object["additionalProperties"] = False


def dumps(found: Contrast) -> str:
    """The comparison as JSON text that validates against `SCHEMA`."""
    content = {
        "schema": SCHEMA_VERSION,
        "a": _run(found.a),
        "b": _run(found.b),
        "findings": {name: _codes(getattr(found, name)) for name in ("gone", "new", "stayed")},
        "setup": [{"name": _text(name), "a": _text(a), "b": _text(b)} for name, a, b in found.setup],
        "measurements": [_measure(pair) for pair in found.pairs],
        "apart": _text(found.apart),
    }
    return json.dumps(content, allow_nan=False, indent=2)


def _run(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "record": None if diagnosis.record is None else _text(diagnosis.record),
        "script": None if diagnosis.script is None else _text(diagnosis.script),
        "status": diagnosis.status,
        "steps": int(diagnosis.steps),
        "roots": [root.code for root in diagnosis.roots],
    }


def _codes(findings: tuple[Finding, ...]) -> list[str]:
    return list(dict.fromkeys(finding.code for finding in findings))


def _measure(pair: Pair) -> dict[str, Any]:
    return {"name": pair.name, "a": _number(pair.a), "b": _number(pair.b), "change": _number(pair.change)}


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _text(text: str) -> str:
    """Undecodable file names reach Python as lone surrogates, which strict parsers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
