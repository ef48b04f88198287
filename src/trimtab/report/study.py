"""A study of remedies as a report: the diagnosis, what was tried with what effect, and what to change."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from math import isfinite

from trimtab.core.study import Study, Trial, merit
from trimtab.report import document
from trimtab.report.blocks import Block, Code, Cure, Row, Section, Step, Trials, Verdict
from trimtab.report.chain import chain
from trimtab.report.document import Document, fold, remarks
from trimtab.report.figures import paired_curves
from trimtab.report.names import clean
from trimtab.report.quantity import number
from trimtab.report.verdict import verdict

ORDER = ("helped", "inconclusive", "no effect", "harmed", "untested")


def compose_study(study: Study, words: Sequence[str]) -> Document:
    """The report on a study of the script that `words` run, for a terminal: what is to be done stands last, in view."""
    return Document((*_head(study), *_tried(study), *_cure(study, words)))


def compose_page(study: Study, words: Sequence[str]) -> Document:
    """The same for a page, which is read from its top: what is to be done, its curves, then all that was tried."""
    blocks: list[Block] = [*_head(study), *_chain(study), *_cure(study, words), *_curves(study), *_tried(study)]
    if study.diagnosis is not None and study.trace is not None:
        blocks += [block for block in document.words(study.diagnosis, study.trace).blocks if isinstance(block, Section)]
    return Document(tuple(blocks))


def _head(study: Study) -> Iterator[Block]:
    diagnosis, trace = study.diagnosis, study.trace
    if diagnosis is None or trace is None:
        yield Verdict("unseen", "UNSEEN: the script as it is was not run to an end", study.ended)
    else:
        yield verdict(diagnosis, trace, fold(diagnosis), len(diagnosis.checked))
        yield from remarks(diagnosis)


def _chain(study: Study) -> Iterator[Block]:
    folded = fold(study.diagnosis) if study.diagnosis is not None else []
    links = chain(*folded[0]) if folded else None
    if links is not None:
        yield links


def _tried(study: Study) -> Iterator[Block]:
    tried = sorted(study.trials.values(), key=lambda trial: (ORDER.index(trial.judgement.verdict), *merit(trial)))
    if tried:
        yield Trials(_caption(study), tuple(_row(trial) for trial in tried))


def _curves(study: Study) -> Iterator[Block]:
    chart = None if study.best is None else paired_curves.chart(study.controls, study.best)
    if chart is not None:
        yield chart


def _caption(study: Study) -> str:
    caption = "Trials against the script as it is, from the same seeds"
    caption += (
        "" if study.repeatable else ", which it ignores in part: effects must exceed what a repetition differs by"
    )
    return f"{caption}; {study.ended}: what is known so far" if study.ended else caption


def _row(trial: Trial) -> Row:
    j = trial.judgement
    shown = j.verdict != "untested"
    seeds = len(j.effects)
    reason = "" if j.verdict in ("helped", "no effect", "harmed") else j.reason
    if trial.round == 1 and shown:
        reason = "on the first part of the training"
    elif seeds == 1:
        reason = "on one seed"
    return Row(
        j.verdict,
        str(trial.recipe),
        f"{_loss(j.control)} → {_loss(j.treated)}" if shown else "",
        _effect(j.effect) if shown else "",
        clean(reason),
    )


def _cure(study: Study, words: Sequence[str]) -> Iterator[Block]:
    if study.diagnosis is None or study.trace is None:
        return
    if study.diagnosis.status != "sick":
        yield Cure("nothing to fix", "No rule reports a fault in the script as it is: nothing was tried.", (), "")
    else:
        yield _advice(study, words)


def _advice(study: Study, words: Sequence[str]) -> Cure:
    best = study.best
    if best is not None:
        j = best.judgement
        title = f"helped: {best.recipe}"
        proof = f"{j.reason[:1].upper()}{j.reason[1:]}: {_loss(j.control)} → {_loss(j.treated)}."
        proof += "" if best.round > 2 else " It was not confirmed from fresh seeds."
        command = shlex.join(["trimtab", "run", "--with", str(best.recipe), *words])
        return Cure(title, proof, _steps(best), f"try it: {command}")
    untested = [trial for trial in study.trials.values() if trial.judgement.verdict == "untested"]
    steps = tuple(dict.fromkeys(step for trial in untested for step in _steps(trial)))  # combinations repeat them
    if not steps:
        return Cure("no remedy is recommended", "None that was tried helped.", (), "")
    return Cure("to be tried by hand", "None that was tried helped; these could not be tried here.", steps, "")


def _steps(trial: Trial) -> tuple[Step, ...]:
    return tuple(Step(a.place, a.sentence, Code(clean(a.code, keep="\n\t"))) for a in trial.advice)


def _loss(value: float) -> str:
    return number(value) if isfinite(value) else "–"


def _effect(effect: float) -> str:
    """The change of the loss in per cent, with its sign: a fall is negative."""
    return f"{-100 * effect:+.0f} %" if round(100 * effect) else "0 %"
