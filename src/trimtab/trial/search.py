"""The control, the trials, losers dropped early, and the best confirmed from fresh seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe
from trimtab.core.settings import Settings
from trimtab.core.signal import LOSS
from trimtab.core.study import Judgement, Run, Study, Trial, by_worth
from trimtab.core.trace import Trace
from trimtab.pipeline import DEFAULTS, diagnose
from trimtab.trial.child import CUT, Script, run
from trimtab.trial.judge import compare, level
from trimtab.trial.plan import RATES, Plan
from trimtab.trial.runner import Runner

AS_IT_IS = Recipe()
SHORT = 0.34  # of the control's steps, for the first round
FEWEST = 60  # steps that a round has at least
SURVIVORS = 3
FINALISTS = 2
ROUNDING = 1e-4  # by which the same first loss may differ
CONTROL_SHARE = 0.25  # of the time limit that the control may take


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be tried: steps of a run, seeds in all, runs side by side, seconds in all."""

    steps: int | None = None
    seeds: int = 3
    jobs: int = 2
    seconds: float | None = None


# Told of work done and work expected in all, in whole runs of the script, and of what is going on.
Progress = Callable[[str, float, float], None]
Job = tuple[Recipe, int]


class Search:
    """Conducts a study of one script."""

    def __init__(
        self, script: Script, limits: Limits, runner: Runner, progress: Progress, settings: Settings = DEFAULTS
    ) -> None:
        self.study = Study()
        self._settings = settings
        self._script, self._limits, self._runner, self._progress = script, limits, runner, progress
        self._until = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._steps = limits.steps
        self._work = _Work(limits.seeds)
        self._noise = 0.0

    def conduct(self) -> Study:
        """Control, diagnosis, trials, confirmation; returns what is known, however it ends."""
        study = self.study
        try:
            trace = self._control()
            if study.diagnosis is not None and study.diagnosis.status == "sick":
                plan = Plan(study.diagnosis, trace)
                self._tell_what_cannot_be_tried(plan)
                self._first_round(plan, trace)
                self._whole_length(plan)
                self._rates(plan)
                self._confirm(plan)
        except KeyboardInterrupt:
            self._runner.stop()
            study.ended = "interrupted"
        except TimeoutError:
            study.ended = "the time limit was reached"
        return study

    # --- rounds

    def _control(self) -> Trace:
        share = None if self._limits.seconds is None else CONTROL_SHARE * self._limits.seconds
        (control,) = self._runs("control", [(AS_IT_IS, 0)], self._steps, 1.0, share)
        if control.trace is None:
            said = f": {control.trouble}" if control.trouble else ""
            raise TrimtabError(f"no training was observed in {' '.join(self._script.words)}{said}")
        if control.trouble.startswith(CUT):  # longer than there is time for: all are compared at its steps
            self._steps, control = control.trace.steps, replace(control, trouble="")
        self.study.controls.append(control)
        trace = control.trace
        assert trace is not None
        self.study.diagnosis = diagnose(trace, settings=self._settings)
        return trace

    def _tell_what_cannot_be_tried(self, plan: Plan) -> None:
        reason = "it cannot be made in a script that is running; the lines to paste are below"
        for recipe, _ in plan.left_to_the_user():
            self.study.trials[recipe] = Trial(recipe, plan.advice(recipe), Judgement("untested", reason), 0)

    def _first_round(self, plan: Plan, trace: Trace) -> None:
        """All candidates over a part of the steps, against the same part of the control, and it against itself.

        Where it has to be the whole training, what it shows counts as the second round's.
        """
        recipes = plan.candidates()
        if not recipes:
            return
        self._work.expect(len(recipes))
        jobs = [(AS_IT_IS, 0), *((recipe, 0) for recipe in recipes)]
        done: list[Run] = []
        whole = self._is_whole(plan, trace)
        part = ("first part", jobs, self._short(trace.steps), SHORT)
        for each in self._runs(*(("whole training", jobs, self._steps, 1.0) if whole else part)):
            if each.recipe:
                done.append(each)
            else:
                self._hear_noise(each)
            for known in done if not each.recipe else [each]:
                self._judge(plan, known.recipe, [known], 2 if whole else 1)

    def _whole_length(self, plan: Plan) -> None:
        """The best few over all steps; where none of them helps, the next."""
        while chosen := self._ranked(1)[:SURVIVORS]:
            for each in self._runs("whole training", [(recipe, 0) for recipe in chosen], self._steps, 1.0):
                self._judge(plan, each.recipe, [each], 2)
            if self._ranked(2):
                return

    def _rates(self, plan: Plan) -> None:
        """The best at other learning rates."""
        for leader in self._ranked(2)[:1]:
            jobs = [(recipe, 0) for recipe in plan.refinements(leader)]
            for each in self._runs("learning rates", jobs, self._steps, 1.0):
                self._judge(plan, each.recipe, [each], 2)

    def _confirm(self, plan: Plan) -> None:
        """The best two, and the control, from fresh seeds; where neither helps there, the next."""
        seeds = range(1, self._limits.seeds)
        while seeds and (chosen := self._ranked(2)[:FINALISTS]):
            runs = {recipe: list(self.study.trials[recipe].runs) for recipe in chosen}
            known = {control.seed for control in self.study.controls}
            jobs = [(recipe, seed) for seed in seeds for recipe in (AS_IT_IS, *chosen)]
            jobs = [job for job in jobs if job[0] or job[1] not in known]
            for each in self._runs("fresh seeds", jobs, self._steps, 1.0):
                (runs[each.recipe] if each.recipe else self.study.controls).append(each)
                paired = {control.seed for control in self.study.controls}
                for recipe, tried in runs.items():
                    if any(r.seed > 0 and r.seed in paired for r in tried):
                        self._judge(plan, recipe, tried, 3)
            if self._ranked(3):
                return

    # --- parts

    def _judge(self, plan: Plan, recipe: Recipe, runs: list[Run], round: int) -> None:
        assert self.study.diagnosis is not None
        found = self.study.diagnosis.findings[0].code
        judgement = compare(self.study.controls, runs, found, self._noise)
        self.study.trials[recipe] = Trial(recipe, plan.advice(recipe), judgement, round, tuple(runs))

    def _hear_noise(self, again: Run) -> None:
        """A script that does not repeat itself from one seed has noise, which an effect must exceed."""
        first, second = self.study.trace, again.trace
        if first is None or second is None or again.trouble:
            return
        # A run that breaks has no level; that it began with another loss shows even there.
        if not np.allclose(first[LOSS][:1, :1], second[LOSS][:1, :1], rtol=ROUNDING, equal_nan=True):
            self.study.repeatable = False
        a, b = level(first, second.steps).loss, level(second).loss
        if isfinite(a) and isfinite(b) and a != b:
            self.study.repeatable = False
            self._noise = abs(a - b) / max(abs(a), 1e-12)

    def _ranked(self, round: int) -> list[Recipe]:
        """Recipes that helped in a round and have come no further, best first."""
        helped = [t for t in self.study.trials.values() if t.round == round and t.judgement.verdict == "helped"]
        return [trial.recipe for trial in by_worth(helped)]

    def _short(self, steps: int) -> int:
        return max(int(SHORT * steps), FEWEST)

    def _is_whole(self, plan: Plan, trace: Trace) -> bool:
        """Whether the first round is over the whole training: where it is short, or a part would not show the fault."""
        return plan.needs_the_whole or self._short(trace.steps) >= trace.steps

    def _runs(
        self, what: str, jobs: Sequence[Job], steps: int | None, cost: float, limit: float | None = None
    ) -> Iterator[Run]:
        """Run the jobs side by side and yield each run that has come to its end.

        Raises TimeoutError where the time is up before all have. `limit` is one of the round's own, to which a run may
        be cut.
        """
        pool = ThreadPoolExecutor(max(self._limits.jobs, 1))
        self._work.begin(len(jobs) * cost)
        self._progress(what, *self._work.state)
        late = False
        try:
            for future in as_completed([pool.submit(self._run, job, steps, limit) for job in jobs]):
                run = future.result()
                self._work.end(cost)
                self._progress(what, *self._work.state)
                if limit is None and run.trouble.startswith(CUT):
                    late = True
                else:
                    yield run
        except BaseException:
            self._runner.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        if late:
            raise TimeoutError

    def _run(self, job: Job, steps: int | None, limit: float | None) -> Run:
        left = self._left()
        if left == 0:
            return Run(job[0], job[1], None, 0.0, CUT)
        return run(self._runner, self._script, *job, steps, left if limit is None else limit)

    def _left(self) -> float | None:
        """Seconds until the time limit; None without one."""
        return None if self._until is None else max(self._until - time.monotonic(), 0.0)


class _Work:
    """How much of the work is done and how much is to come, in whole runs of the script."""

    def __init__(self, seeds: int) -> None:
        self._seeds = seeds
        self._done, self._all = 0.0, 1.0

    @property
    def state(self) -> tuple[float, float]:
        """Done, and in all."""
        return self._done, max(self._all, self._done)

    def expect(self, candidates: int) -> None:
        """The rounds that follow a sick control, if every one of them has something to do."""
        confirmation = (self._seeds - 1) * (1 + FINALISTS)
        self._all = self._done + (candidates + 1) * SHORT + SURVIVORS + len(RATES) + confirmation

    def begin(self, work: float) -> None:
        """A round begins that has so much to do."""
        self._all = max(self._all, self._done + work)

    def end(self, work: float) -> None:
        """So much of it is done."""
        self._done += work
