"""The control, the trials, losers dropped early, and the best confirmed on fresh seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.recipe import Recipe
from trimtab.pipeline import diagnose
from trimtab.trial.child import Run, run
from trimtab.trial.judge import Judgement, compare, level
from trimtab.trial.plan import candidates, refinements

AS_IT_IS = Recipe()
SHORT = 0.34  # of the control's steps, for the first round
FEWEST = 60  # steps that a round has at least
SURVIVORS = 3
REDEFINING = ("match-loss",)


@dataclass(frozen=True, slots=True)
class Terms:
    """How much may be tried: steps of a run, fresh seeds beside the first, runs side by side, seconds in all."""

    steps: int | None = None
    seeds: int = 3
    jobs: int = 2
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe, its runs and the verdict on it. `round` is how far it came: 1, 2 (whole length), 3 (fresh seeds)."""

    recipe: Recipe
    runs: tuple[Run, ...]
    judgement: Judgement
    round: int


@dataclass(slots=True)
class Study:
    """All that is known so far; left as it is when the time is up or somebody interrupts."""

    diagnosis: Diagnosis | None = None
    controls: list[Run] = field(default_factory=list[Run])
    trials: dict[Recipe, Trial] = field(default_factory=dict[Recipe, Trial])
    ended: str = ""

    @property
    def best(self) -> Trial | None:
        """The trial that helped most and was confirmed, or came furthest; None where none helped."""
        helped = [t for t in self.trials.values() if t.judgement.verdict == "helped"]
        return max(helped, key=lambda t: (t.round, t.judgement.effect), default=None)


Progress = Callable[[str, int, int], None]


class Search:
    """Runs a study of one script. `progress(what, done, of)` is told of every run that ends."""

    def __init__(self, words: Sequence[str], folder: Path, terms: Terms, progress: Progress) -> None:
        self.study = Study()
        self._words, self._folder, self._terms, self._progress = words, folder, terms, progress
        self._until = None if terms.seconds is None else time.monotonic() + terms.seconds

    def conduct(self) -> Study:
        """Control, diagnosis, trials, confirmation; returns what is known, however it ends."""
        study = self.study
        try:
            self._control()
            if study.diagnosis is not None and study.diagnosis.status == "sick":
                self._first_round()
                self._whole_length()
                self._confirm()
        except KeyboardInterrupt:
            study.ended = "interrupted"
        except TimeoutError:
            study.ended = "the time limit was reached"
        return study

    # --- rounds

    def _control(self) -> None:
        (control,) = self._runs("control", [(AS_IT_IS, 0)], self._terms.steps)
        if control.trace is None:
            raise TrimtabError(f"no training was observed{f': {control.trouble}' if control.trouble else ''}")
        self.study.controls.append(control)
        self.study.diagnosis = diagnose(control.trace)

    def _first_round(self) -> None:
        """All candidates over a part of the steps, against the same part of the control."""
        control = self.study.controls[0]
        assert self.study.diagnosis is not None and control.trace is not None
        recipes = candidates(self.study.diagnosis, control.trace)
        steps = self._short(control.trace.steps)
        for done in self._runs("trials", [(recipe, 0) for recipe in recipes], steps):
            self._judge(done.recipe, [done], 1)

    def _whole_length(self) -> None:
        """The best few, and the best of them at other learning rates, over all steps."""
        control = self.study.controls[0]
        assert control.trace is not None
        chosen = self._ranked(1)[:SURVIVORS]
        if chosen and self._short(control.trace.steps) < control.trace.steps:
            for done in self._runs("whole length", [(recipe, 0) for recipe in chosen], self._terms.steps):
                self._judge(done.recipe, [done], 2)
        else:
            for recipe in chosen:
                self._judge(recipe, list(self.study.trials[recipe].runs), 2)
        leader = next(iter(self._ranked(2)), None)
        if leader is not None:
            for done in self._runs("rates", [(r, 0) for r in refinements(leader)], self._terms.steps):
                self._judge(done.recipe, [done], 2)

    def _confirm(self) -> None:
        """The best two, and the control, from fresh seeds."""
        chosen = self._ranked(2)[:2]
        if not chosen or self._terms.seeds < 2:
            return
        jobs = [(recipe, seed) for seed in range(1, self._terms.seeds) for recipe in (AS_IT_IS, *chosen)]
        fresh = list(self._runs("fresh seeds", jobs, self._terms.steps))
        self.study.controls += [r for r in fresh if not r.recipe]
        for recipe in chosen:
            runs = [*self.study.trials[recipe].runs, *(r for r in fresh if r.recipe == recipe)]
            self._judge(recipe, runs, 3)

    # --- parts

    def _judge(self, recipe: Recipe, runs: list[Run], round: int) -> None:
        assert self.study.diagnosis is not None
        found = self.study.diagnosis.findings[0].code
        redefined = any(change.name in REDEFINING for change in recipe.changes)
        judgement = compare(self.study.controls, runs, found, redefined)
        self.study.trials[recipe] = Trial(recipe, tuple(runs), judgement, round)

    def _ranked(self, round: int) -> list[Recipe]:
        """Recipes that helped in a round, best first; at equal effect the simpler."""
        helped = [t for t in self.study.trials.values() if t.round >= round and t.judgement.verdict == "helped"]
        ordered = sorted(helped, key=lambda t: (-round_to(t.judgement.effect), len(t.recipe.changes), self._alarms(t)))
        return [t.recipe for t in ordered]

    @staticmethod
    def _alarms(trial: Trial) -> int:
        return sum(len(level(r.trace).codes) for r in trial.runs)

    def _short(self, steps: int) -> int:
        return min(max(int(SHORT * steps), FEWEST), steps)

    def _runs(self, what: str, jobs: Sequence[tuple[Recipe, int]], steps: int | None) -> Iterator[Run]:
        """Run the jobs side by side, yield them in their order; raises TimeoutError when the time is up."""
        self._progress(what, 0, len(jobs))

        def one(job: tuple[Recipe, int]) -> Run:
            left = None if self._until is None else self._until - time.monotonic()
            if left is not None and left <= 1:
                return Run(job[0], job[1], None, 0.0, "no time was left")
            return run(self._words, self._folder, job[0], job[1], steps, left)

        finished: list[Run] = []
        with ThreadPoolExecutor(max(self._terms.jobs, 1)) as pool:
            for done in pool.map(one, jobs):
                finished.append(done)
                self._progress(what, len(finished), len(jobs))
        yield from (done for done in finished if done.trouble != "no time was left")
        if any(done.trouble == "no time was left" for done in finished):
            raise TimeoutError


def round_to(effect: float) -> float:
    """To five per cent: what differs by less is equal."""
    return round(effect * 20) / 20
