"""What trials of remedies have shown, as a value: runs, pairs of runs, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from trimtab.core.finding import Diagnosis
from trimtab.core.recipe import Change, Recipe
from trimtab.core.trace import Trace

Verdict = Literal["helped", "no effect", "harmed", "inconclusive", "untested"]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the script under a recipe did. `trace` is None where it left no record; `trouble` says why.

    `seed` is what was added to every seed of the script; 0 is the script's own.
    """

    recipe: Recipe
    seed: int
    trace: Trace | None
    seconds: float
    trouble: str = ""

    @property
    def untested(self) -> str:
        """Why a change of the recipe could not be made in this script; empty where all were."""
        said = self.trace.meta.get("untested") if self.trace is not None else None
        return str(said) if said else ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a recipe, from runs that are paired by their seeds.

    `effect` is the median over the pairs of the share of the loss that the recipe takes away (0.5: half of it is gone,
    negative: it has grown), `effects` each pair's, `control` and `treated` the median levels of the loss, NaN where
    they are not known.
    """

    verdict: Verdict
    reason: str
    effect: float = 0.0
    effects: tuple[float, ...] = ()
    control: float = float("nan")
    treated: float = float("nan")


@dataclass(frozen=True, slots=True)
class Advice:
    """A change in words: what to do, the lines to paste, and where in the script (`train.py:31`; empty: not known)."""

    change: Change
    sentence: str
    code: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe, its runs and the verdict. `round` is how far it came.

    0: it cannot be tried; 1: the first part of the training; 2: the whole of it; 3: from fresh seeds as well.
    """

    recipe: Recipe
    advice: tuple[Advice, ...]
    judgement: Judgement
    round: int
    runs: tuple[Run, ...] = ()


@dataclass(slots=True)
class Study:
    """All that is known so far; it is left as it is when the time is up or somebody interrupts."""

    diagnosis: Diagnosis | None = None
    controls: list[Run] = field(default_factory=list[Run])
    trials: dict[Recipe, Trial] = field(default_factory=dict[Recipe, Trial])
    repeatable: bool = True
    ended: str = ""

    @property
    def trace(self) -> Trace | None:
        """The trace of the script as it is."""
        return self.controls[0].trace if self.controls else None

    @property
    def best(self) -> Trial | None:
        """The trial that came furthest and helped most, of those that helped equally the simplest; None: none did.

        In a study that came to its end, what helped over a part of the training and was left behind has not helped.
        """
        furthest = max((trial.round for trial in self.trials.values()), default=0)
        helped = [
            t for t in self.trials.values() if t.judgement.verdict == "helped" and (self.ended or t.round == furthest)
        ]
        last = max((trial.round for trial in helped), default=0)
        return next(iter(by_worth([trial for trial in helped if trial.round == last])), None)


ENOUGH = 0.9  # of a loss that has fallen by nine tenths, further falls say little about what the script is for


WORTH = 0.1  # of the loss, that a further change must take away to be worth it


def by_worth(trials: Sequence[Trial]) -> list[Trial]:
    """Best first: of those that come near the greatest effect the simplest, then the others by their merit."""
    top = max((min(trial.judgement.effect, ENOUGH) for trial in trials), default=0.0) - WORTH
    return sorted(trials, key=lambda t: (t.judgement.effect < top, len(t.recipe.changes), merit(t)))


def merit(trial: Trial) -> tuple[float, int, float]:
    """What to sort trials by, best first: the effect to 5 %, at equal effect the simpler recipe."""
    effect = trial.judgement.effect
    return -round(min(effect, ENOUGH) * 20), len(trial.recipe.changes), -effect
