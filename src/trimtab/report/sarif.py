"""The diagnosis as SARIF 2.1.0, so that findings appear in code review, each at a file and a line."""

from __future__ import annotations

import inspect
import json
import re
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from trimtab import remedies
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.trace import Trace
from trimtab.report.document import fold
from trimtab.report.names import clean, enumerate_names
from trimtab.report.places import Place, Places
from trimtab.report.verdict import verdict
from trimtab.rules import OURS, all_rules

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.NOTE: "note", Severity.WARN: "warning", Severity.FAIL: "error"}
ROOT = "%SRCROOT%"


def dumps(diagnosis: Diagnosis, trace: Trace, home: str, plugins: tuple[str, ...] = ()) -> str:
    """SARIF text; `home` is the folder in which the program was started, `plugins` had a say in the diagnosis.

    Each root cause is a result, with its symptoms as related locations; so is each note. Files are named from the root
    of the checkout. A run that was not seen has no result and a notification that says so.
    """
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(diagnosis, trace, Places(trace, diagnosis.script, home), all_rules(plugins))],
    }
    return json.dumps(log, allow_nan=False, indent=2)


def _run(diagnosis: Diagnosis, trace: Trace, places: Places, known: list[Rule]) -> dict[str, Any]:
    folded = fold(diagnosis)
    told = {id(finding) for root, symptoms in folded for finding in (root, *symptoms)}
    alone: list[tuple[Finding, list[Finding]]] = [(f, []) for f in diagnosis.findings if id(f) not in told]
    codes = {f.code for f in diagnosis.findings} | set(diagnosis.checked)
    rules = [rule for rule in known if rule.code in codes]
    index = {rule.code: place for place, rule in enumerate(rules)}
    results = [_result(root, symptoms, trace, places, index) for root, symptoms in (*folded, *alone)]
    return {
        "tool": {"driver": _driver(diagnosis, rules)},
        "automationDetails": {"id": f"trimtab/{_text(diagnosis.script or 'run')}/"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "the root of the checkout"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(diagnosis, trace, folded)],
        "results": _told_apart(results),
    }


def _driver(diagnosis: Diagnosis, rules: list[Rule]) -> dict[str, Any]:
    return {"name": "trimtab", "semanticVersion": diagnosis.trimtab, "rules": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    documentation = inspect.getdoc(type(rule)) or rule.name
    summary, _, rest = documentation.partition("\n\n")
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": _one_line(summary)},
        "fullDescription": {"text": _one_line(rest.partition("\n\n")[0] or summary)},
        "help": {"text": documentation, "markdown": re.sub(r"^([A-Z][\w ]+):", r"**\1:**", documentation, flags=re.M)},
        "defaultConfiguration": {"level": LEVELS[_worst(rule)]},
        "properties": {"tags": ["training"]},
    }


def _worst(rule: Rule) -> Severity:
    """How severe its example is; one of a plugin may fail."""
    try:
        return max((finding.severity for finding in rule.check(rule.sick())), default=Severity.WARN)
    except Exception:
        if rule.code.startswith(OURS):
            raise
        return Severity.WARN


def _result(
    root: Finding, symptoms: list[Finding], trace: Trace, places: Places, index: dict[str, int]
) -> dict[str, Any]:
    place = places.of(root)
    result: dict[str, Any] = {
        "ruleId": root.code,
        "ruleIndex": index[root.code],
        "level": LEVELS[root.severity],
        "message": {"text": _message(root, trace)},
        "locations": [] if place is None else [_location(place, root)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(root, place)},
        "properties": {"since_step": int(root.since_step), "where": [_text(name) for name in root.where]},
    }
    related = [(symptom, places.of(symptom)) for symptom in symptoms]
    if any(at for _, at in related):
        result["relatedLocations"] = [
            {"id": number, **_location(at, symptom), "message": {"text": _symptom(symptom)}}
            for number, (symptom, at) in enumerate(related, start=1)
            if at is not None
        ]
    return result


def _message(root: Finding, trace: Trace) -> str:
    """What, where, why and what to do, in sentences."""
    message = clean(root.message)
    sentences = [message[:1].upper() + message[1:]]
    if root.where:
        sentences.append(f"Where: {enumerate_names(root.where)}")
    if root.reveals:
        sentences.append(f"Why: {root.reveals.sentence}")
    prescribed = remedies.prescribe(root, trace)
    if prescribed:
        sentences.append(f"Next: {clean(prescribed[0].remedy.sentence)}")
    return _literal(". ".join(sentence.rstrip(".") for sentence in sentences) + ".")


def _symptom(finding: Finding) -> str:
    return _literal(f"{finding.code} {finding.name}: {clean(finding.message)}")


def _location(place: Place, finding: Finding) -> dict[str, Any]:
    """GitHub takes locations that are relative to the root of the repository."""
    outside = place.file.startswith("file://")
    file = {"uri": place.file} if outside else {"uri": quote(_text(place.file)), "uriBaseId": ROOT}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": file, "region": {"startLine": place.line}},
    }
    if finding.where:
        location["logicalLocations"] = [{"fullyQualifiedName": _text(clean(name))} for name in finding.where[:10]]
    return location


def _fingerprint(finding: Finding, place: Place | None) -> str:
    """The same for the same fault of the same script in any run: numbers, lines and lists of layers change."""
    return sha256(f"{finding.code} {'' if place is None else place.file}".encode("utf-8", "replace")).hexdigest()[:16]


def _told_apart(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A number behind each fingerprint: a rule may report two losses."""
    seen: dict[str, int] = {}
    for result in results:
        prints = result["partialFingerprints"]
        key = prints["primaryLocationLineHash"]
        seen[key] = seen.get(key, 0) + 1
        prints["primaryLocationLineHash"] = f"{key}:{seen[key]}"
    return results


def _invocation(diagnosis: Diagnosis, trace: Trace, folded: list[tuple[Finding, list[Finding]]]) -> dict[str, Any]:
    words = verdict(diagnosis, trace, folded, len(diagnosis.checked))
    said = words.text if diagnosis.status == "sick" or not words.because else f"{words.text}: {words.because}"
    note = {"level": "warning" if diagnosis.status == "unseen" else "note", "message": {"text": _literal(clean(said))}}
    return {"executionSuccessful": diagnosis.status != "unseen", "toolExecutionNotifications": [note]}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _literal(text: str) -> str:
    """Text without what SARIF reads as a placeholder or a link."""
    return _text(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _text(text: str) -> str:
    """Undecodable file names reach Python as lone surrogates, which strict parsers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
