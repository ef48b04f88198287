"""A report as a value: the blocks that say what the run has, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trimtab import remedies
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.remedy import Prescription
from trimtab.core.settings import Ignore
from trimtab.core.trace import Trace
from trimtab.report import figures
from trimtab.report.blocks import (
    Block,
    Code,
    Footer,
    Heading,
    Note,
    Part,
    Remark,
    Section,
    Symptom,
    Symptoms,
    Table,
    Text,
)
from trimtab.report.chain import chain
from trimtab.report.evidence import evidence
from trimtab.report.layers import layers
from trimtab.report.names import clean, enumerate_names
from trimtab.report.quantity import number, percent
from trimtab.report.verdict import verdict


@dataclass(frozen=True, slots=True)
class Document:
    """Blocks in the order in which they are read."""

    blocks: tuple[Block, ...]


def compose(diagnosis: Diagnosis, trace: Trace) -> Document:
    """The whole report: the verdict, how it comes about, the findings, then charts, then where it comes from."""
    first, *rest = words(diagnosis, trace).blocks
    folded = fold(diagnosis)
    links = chain(*folded[0]) if folded else None
    table = layers(trace)
    blocks: list[Block | None] = [first, links, *rest, *figures.charts(trace), table, _footer(diagnosis, trace)]
    return Document(tuple(block for block in blocks if block is not None))


def words(diagnosis: Diagnosis, trace: Trace) -> Document:
    """The part of the report that needs no charts: verdict, root causes, notes."""
    folded = fold(diagnosis)
    blocks: list[Block] = [verdict(diagnosis, trace, folded, len(diagnosis.checked))]
    blocks += [Section(_heading(root), tuple(_parts(root, symptoms, trace))) for root, symptoms in folded]
    blocks += [Note(f.code, f.name, clean(f.message)) for f in diagnosis.findings if _is_note(f)]
    blocks += remarks(diagnosis)
    return Document(tuple(blocks))


def fold(diagnosis: Diagnosis) -> list[tuple[Finding, list[Finding]]]:
    """Each root cause with the findings that it explains; every finding that is no note stands in exactly one place."""
    open_findings = [f for f in diagnosis.findings if not _is_note(f)]
    roots = [f for f in open_findings if f.root or not f.explained_by]
    folded: list[tuple[Finding, list[Finding]]] = [(root, []) for root in roots]
    for finding in open_findings:
        if any(finding is root for root in roots):
            continue
        home = next((symptoms for code in finding.explained_by for root, symptoms in folded if root.code == code), None)
        if home is None:
            folded.append((finding, []))
        else:
            home.append(finding)
    return folded


def remarks(diagnosis: Diagnosis) -> list[Remark]:
    """What was left out and who asked for it, in one line, then what else there is to say."""
    ignored = [f"ignored: {', '.join(map(_ignored, diagnosis.ignored))}"] if diagnosis.ignored else []
    return [Remark(clean(text)) for text in (*ignored, *diagnosis.remarks)]


def _ignored(ignore: Ignore) -> str:
    where = f" in {ignore.layer}" if ignore.layer else ""
    count = f", {ignore.taken} finding{'' if ignore.taken == 1 else 's'}" if ignore.taken else ""
    return f"{ignore.code}{where} ({ignore.source}{count})"


def _is_note(finding: Finding) -> bool:
    return finding.severity is Severity.NOTE and not finding.explained_by


def _heading(root: Finding) -> Heading:
    return Heading(root.code, root.name, root.severity, f"{root.severity.label}, since step {root.since_step:,}")


def _parts(root: Finding, symptoms: list[Finding], trace: Trace) -> Iterator[Part]:
    yield Text("what", clean(root.message))
    if root.where:
        yield Text("where", enumerate_names(root.where))
    if root.evidence:
        yield Table("evidence", tuple(evidence(root)))
    if root.reveals:
        yield Text("why", root.reveals.sentence)
    yield from _next(remedies.prescribe(root, trace))
    if symptoms:
        yield Symptoms(tuple(_symptom(finding) for finding in symptoms))


def _next(prescriptions: list[Prescription]) -> Iterator[Part]:
    """The first remedy with its code; in a line each the others, of the same cause where it is one that was found."""
    for best in prescriptions[:1]:
        yield Text("next", clean(best.remedy.sentence))
        yield Code(clean(best.code.strip("\n"), keep="\n\t"))
    treated = prescriptions[0].finding.reveals if prescriptions else None
    found = treated is not None and treated in prescriptions[0].remedy.treats
    for other in prescriptions[1:]:
        if not found or treated in other.remedy.treats:
            yield Text("next", f"or {other.remedy.name.replace('-', ' ')}")


def _symptom(finding: Finding) -> Symptom:
    where = enumerate_names(finding.where, most=1, width=24)
    return Symptom(finding.code, finding.name, finding.severity, where, clean(finding.message))


def _footer(diagnosis: Diagnosis, trace: Trace) -> Footer:
    rows = {
        "script": diagnosis.script,
        "steps": number(diagnosis.steps),
        "ended": trace.meta.get("ended"),
        "overhead": percent(diagnosis.overhead),
        "record": diagnosis.record,
        "started": trace.meta.get("started"),
        "trimtab": diagnosis.trimtab,
        "torch": trace.meta.get("torch"),
    }
    return Footer(tuple((key, clean(str(value))) for key, value in rows.items() if value is not None))
