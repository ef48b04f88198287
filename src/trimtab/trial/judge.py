"""Whether a recipe helped: treated against control, from the same seeds, by criteria that are fixed before any run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trimtab.core.finding import Severity
from trimtab.core.signal import ACCURACY, EVALUATION_LOSS, Signal
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose
from trimtab.rules._learning import main_course
from trimtab.trial.child import Run

Verdict = Literal["helped", "no effect", "harmed", "inconclusive", "untested"]

LEAST = 0.05  # relative improvement of the final level that counts, on every seed
WORSE = 0.05  # relative worsening on every seed that counts as harm
BROKEN = float("inf")


@dataclass(frozen=True, slots=True)
class Level:
    """Where a run ended: the loss's level, and beside it what does not change with the loss's definition.

    `evaluation` is the level of losses computed without gradient, `accuracy` the share of right answers; NaN where the
    script has none. `codes` are the alarms that are left.
    """

    loss: float
    evaluation: float
    accuracy: float
    codes: tuple[str, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a recipe with its effect, the relative fall of the level against the control, seed by seed."""

    verdict: Verdict
    effect: float
    effects: tuple[float, ...]
    reason: str


def level(trace: Trace | None, steps: int | None = None) -> Level:
    """The level of a run, or of its first `steps`: the debiased average that the course of a loss ends with."""
    if trace is None:
        return Level(BROKEN, np.nan, np.nan, (), 0)
    cut = trace if steps is None else trace.until(steps)
    course = main_course(cut)
    diagnosis = diagnose(cut)
    broken = any(f.code == "TT601" for f in diagnosis.findings)
    loss = BROKEN if course is None or broken else course.now
    codes = tuple(f.code for f in diagnosis.findings if f.severity > Severity.NOTE)
    return Level(loss, _last(cut, EVALUATION_LOSS), _last(cut, ACCURACY), codes, cut.steps)


def compare(control: Sequence[Run], treated: Sequence[Run], found: str, redefined: bool) -> Judgement:
    """Judge runs that are paired by their seeds. `found` is the code of the root that the recipe is for.

    `redefined`: the recipe changes what the loss measures, so that answers are compared, not losses.
    """
    reasons = [run.untested for run in treated if run.untested]
    if reasons:
        return Judgement("untested", 0.0, (), reasons[0])
    pairs = [(c, t) for c in control for t in treated if c.seed == t.seed]
    if not pairs:
        return Judgement("untested", 0.0, (), "no pair of runs from the same seed was finished")
    levels = [_pair(c, t) for c, t in pairs]
    effects = tuple(_effect(c, t, redefined) for c, t in levels)
    gone = all(found not in t.codes for _, t in levels)
    structural = all(found in c.codes and found not in t.codes for c, t in levels)
    effect = float(np.median(effects))
    if all(e > LEAST for e in effects):
        said = "the finding is gone and the level is lower" if gone else "the level is lower, though the finding stays"
        return Judgement("helped", effect, effects, f"{said} on {_seeds(len(effects))}")
    if all(e < -WORSE for e in effects):
        return Judgement("harmed", effect, effects, f"the level is higher on {_seeds(len(effects))}")
    if structural and all(e > -WORSE for e in effects):
        return Judgement("helped", effect, effects, "the finding is gone, at no higher a level")
    if all(abs(e) <= LEAST for e in effects):
        return Judgement("no effect", effect, effects, "the level is the same to 5 %")
    return Judgement("inconclusive", effect, effects, "the seeds do not agree")


def _pair(control: Run, treated: Run) -> tuple[Level, Level]:
    """Both at equal steps."""
    steps = min((run.trace.steps for run in (control, treated) if run.trace is not None), default=0)
    return level(control.trace, steps), level(treated.trace, steps)


def _effect(control: Level, treated: Level, redefined: bool) -> float:
    """Share of the control's level that is gone; of its mistakes, where the loss was redefined or is not known."""
    answers = np.isfinite(control.accuracy) and np.isfinite(treated.accuracy)
    if redefined and answers:
        return (treated.accuracy - control.accuracy) / max(1 - control.accuracy, 1e-3)
    if np.isfinite(control.evaluation) and np.isfinite(treated.evaluation):
        return _fall(control.evaluation, treated.evaluation)
    return _fall(control.loss, treated.loss)


def _fall(before: float, after: float) -> float:
    if not np.isfinite(after):
        return 0.0 if not np.isfinite(before) else -1.0
    if not np.isfinite(before):
        return 1.0
    return float(np.clip((before - after) / max(abs(before), 1e-12), -1.0, 1.0))


def _last(trace: Trace, signal: Signal) -> float:
    """The level of a signal of the run over its last fifth; NaN where it was not measured."""
    values = trace[signal]
    finite = values[np.isfinite(values).any(axis=1)][:, :1].ravel() if values.size else np.empty(0)
    finite = finite[np.isfinite(finite)]
    return float(np.median(finite[-max(len(finite) // 5, 1) :])) if finite.size else float("nan")


def _seeds(n: int) -> str:
    return "the one seed tried" if n == 1 else f"all {n} seeds"
