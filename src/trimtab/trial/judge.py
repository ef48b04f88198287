"""Whether a recipe helped: treated against control, from the same seeds, by criteria that are fixed before any run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan

import numpy as np

from trimtab.core.course import main_course
from trimtab.core.finding import Severity
from trimtab.core.signal import ACCURACY, EVALUATION_LOSS, Signal
from trimtab.core.study import Judgement, Run, Verdict
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose

LEAST = 0.05  # share of the loss that must be gone, or have come, on every seed, to be called an effect

REDEFINING = ("match-loss",)  # changes after which the loss measures something else


@dataclass(frozen=True, slots=True)
class Level:
    """Where a run ended: the level of its loss, and beside it what does not change with the loss's definition.

    `start` is the lower of the first losses and of what the best constant predicts, `evaluation` the level of losses
    that the script computes without gradient, `accuracy` the share of right answers; NaN where the script has none.
    The loss is infinite where the run broke, NaN where it has no level (a policy gradient's swings about 0). `codes`
    are the alarms that are left.
    """

    loss: float
    start: float
    evaluation: float
    accuracy: float
    codes: frozenset[str]


def level(trace: Trace | None, steps: int | None = None) -> Level:
    """The level of a run, or of its first `steps`: the average that the course of its main loss ends with."""
    if trace is None:
        return Level(inf, nan, nan, nan, frozenset())
    cut = trace if steps is None or steps >= trace.steps else trace.until(steps)
    course = main_course(cut)
    codes = frozenset(f.code for f in diagnose(cut).findings if f.severity > Severity.NOTE)
    start = course.reference if course is not None else nan
    loss = inf if course is None or "TT601" in codes else course.now if course.tells else nan
    return Level(loss, start, _last(cut, EVALUATION_LOSS), _last(cut, ACCURACY), codes)


def compare(control: Sequence[Run], treated: Sequence[Run], found: str, noise: float = 0.0) -> Judgement:
    """Judge runs that are paired by their seeds. `found` is the code of the finding that the recipe is for.

    Where the recipe redefines the loss, answers are compared, not losses. `noise` is the effect that a mere repetition
    of the control has: nothing in a script that is repeatable.
    """
    reason = next((run.untested for run in treated if run.untested), "") or _stopped(control, treated)
    if reason:
        return Judgement("untested", reason)
    pairs = [(c, t) for c in control for t in treated if c.seed == t.seed]
    if not pairs:
        return Judgement("untested", "no pair of runs from the same seed was finished")
    redefined = any(change.name in REDEFINING for run in treated for change in run.recipe.changes)
    levels = [_pair(c, t) for c, t in pairs]
    effects = tuple(_effect(c, t, redefined) for c, t in levels)
    gone = all(found in c.codes and found not in t.codes for c, t in levels)
    verdict, reason = _verdict(effects, gone, max(LEAST, 2 * noise))
    return Judgement(
        verdict,
        reason,
        float(np.median([e for e in effects if isfinite(e)] or [0.0])),
        effects,
        float(np.median([c.loss for c, _ in levels])),
        float(np.median([t.loss for _, t in levels])),
    )


def _verdict(effects: Sequence[float], gone: bool, least: float) -> tuple[Verdict, str]:
    seeds = "the one seed tried" if len(effects) == 1 else f"all {len(effects)} seeds"
    known = all(isfinite(e) for e in effects)
    if known and all(e > least for e in effects):
        return "helped", f"{'the finding is gone and ' if gone else ''}the loss is lower on {seeds}"
    if known and all(e < -least for e in effects):
        return "harmed", f"the loss is higher on {seeds}"
    if gone and not any(e < -least for e in effects):
        return "helped", f"the finding is gone on {seeds}" + (", the loss no higher" if known else "")
    if known and all(abs(e) <= least for e in effects):
        return "no effect", f"the loss is the same to {100 * least:.0f} %, and the finding stays"
    return "inconclusive", "the seeds do not agree" if known else "the loss has no level to compare"


def _stopped(control: Sequence[Run], treated: Sequence[Run]) -> str:
    """Why the script cannot be compared: it fails under the recipe, as it does not without."""
    if any(run.trouble for run in control):
        return ""
    return next((f"the script stops under it: {run.trouble}" for run in treated if run.trouble), "")


def _pair(control: Run, treated: Run) -> tuple[Level, Level]:
    """Both at equal steps."""
    steps = min((run.trace.steps for run in (control, treated) if run.trace is not None), default=0)
    return level(control.trace, steps), level(treated.trace, steps)


def _effect(control: Level, treated: Level, redefined: bool) -> float:
    """Share of the loss that is gone; of the mistakes, where the loss was redefined."""
    if redefined:
        return (treated.accuracy - control.accuracy) / max(1 - control.accuracy, 1e-3)
    if isfinite(control.evaluation) and isfinite(treated.evaluation):
        return _fall(control.evaluation, treated.evaluation, control.evaluation)
    # A control that broke in its first steps has no start of its own.
    return _fall(control.loss, treated.loss, control.start if isfinite(control.start) else treated.start)


def _fall(before: float, after: float, start: float) -> float:
    """The fall, measured from where the control ended or, where it had risen above its start, from there."""
    if np.isnan(before) or np.isnan(after):
        return nan
    if not isfinite(after):
        return -1.0 if isfinite(before) else 0.0
    base = min((x for x in (before, start) if isfinite(x)), default=after)
    scale = max(abs(base), abs(start - base) if isfinite(start) else 0.0, 1e-12)
    if after <= base:
        return min((base - after) / scale, 1.0)
    return 0.0 if after <= before else max((before - after) / scale, -1.0)


def _last(trace: Trace, signal: Signal) -> float:
    """The level of a signal of the run over its last fifth; NaN where it was not measured."""
    values = trace[signal]
    column = values[:, 0] if values.size else np.empty(0)
    column = column[np.isfinite(column)]
    return float(np.median(column[-max(len(column) // 5, 1) :])) if column.size else nan
