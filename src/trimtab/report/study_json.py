"""A study as JSON, schema 1: documented in docs/howto/json.md."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, get_args

from trimtab.core.study import Study, Trial, Verdict

SCHEMA_VERSION = 1

_NUMBER = {"type": ["number", "null"], "description": "null where it is not known or not finite"}
_STRINGS = {"type": "array", "items": {"type": "string"}}

_ADVICE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "change": {"type": "string", "description": "as it stands in `with`"},
        "do": {"type": "string", "description": "one sentence, for people"},
        "code": {"type": "string", "description": "lines to paste"},
        "at": {"type": ["string", "null"], "description": "file:line of the script to which it belongs"},
    },
}
_TRIAL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "with": {"type": "string", "description": "the recipe, as `trimtab run --with` takes it"},
        "changes": {"type": "array", "items": _ADVICE},
        "verdict": {"enum": list(get_args(Verdict))},
        "reason": {"type": "string"},
        "round": {
            "enum": [0, 1, 2, 3],
            "description": "0 not tried, 1 a part of the training, 2 all, 3 fresh seeds too",
        },
        "seeds": {"type": "integer", "minimum": 0, "description": "pairs of runs"},
        "effect": {
            "type": ["number", "null"],
            "description": "median share of the loss that is gone; < 0: it has grown",
        },
        "loss": {"type": "object", "properties": {"control": _NUMBER, "treated": _NUMBER}},
    },
}
_CONTROL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["healthy", "sick", "unseen"]},
        "steps": {"type": "integer", "minimum": 0},
        "roots": {**_STRINGS, "description": "codes of the root causes, surest first"},
        "repeatable": {"type": "boolean", "description": "false where the script ignores its seeds in part"},
    },
}
_BEST: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "with": {"type": "string"},
        "changes": {"type": "array", "items": _ADVICE},
        "code": {"type": "string", "description": "the lines of all changes"},
    },
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "trimtab study",
    "type": "object",
    "properties": {
        "schema": {"const": SCHEMA_VERSION},
        "control": {**_CONTROL, "type": ["object", "null"]},
        "trials": {"type": "array", "items": _TRIAL},
        "best": _BEST,
        "ended": {"type": "string", "description": "why the study is not whole; empty where it is"},
    },
}
for _object in (SCHEMA, SCHEMA["properties"]["control"], _TRIAL, _TRIAL["properties"]["loss"], _ADVICE, _BEST):
    _object["required"] = list(_object["properties"])
    _object["additionalProperties"] = False


def dumps(study: Study) -> str:
    """The study as JSON text that validates against `SCHEMA`."""
    diagnosis, best = study.diagnosis, study.best
    content = {
        "schema": SCHEMA_VERSION,
        "control": None
        if diagnosis is None
        else {
            "status": diagnosis.status,
            "steps": int(diagnosis.steps),
            "roots": [root.code for root in diagnosis.roots],
            "repeatable": study.repeatable,
        },
        "trials": [_trial(trial) for trial in study.trials.values()],
        "best": None
        if best is None
        else {
            "with": str(best.recipe),
            "changes": _changes(best),
            "code": "\n".join(advice.code for advice in best.advice),
        },
        "ended": study.ended,
    }
    return json.dumps(content, allow_nan=False, indent=2)


def _trial(trial: Trial) -> dict[str, Any]:
    j = trial.judgement
    return {
        "with": str(trial.recipe),
        "changes": _changes(trial),
        "verdict": j.verdict,
        "reason": j.reason,
        "round": trial.round,
        "seeds": len(j.effects),
        "effect": _number(j.effect) if j.effects else None,
        "loss": {"control": _number(j.control), "treated": _number(j.treated)},
    }


def _changes(trial: Trial) -> list[dict[str, Any]]:
    return [{"change": str(a.change), "do": a.sentence, "code": a.code, "at": a.place or None} for a in trial.advice]


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None
