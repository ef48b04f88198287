"""Which recipes are worth a trial: the remedies of the root causes, alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product

from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding
from trimtab.core.recipe import Change, Recipe
from trimtab.core.remedy import Prescription
from trimtab.core.study import Advice
from trimtab.core.trace import Trace
from trimtab.remedies import named, prescribe
from trimtab.rules import all_rules
from trimtab.trial.enactors import enactable

SINGLES = 8  # recipes of one change
PAIRS = 5  # of two
# No rule is sure of their absence: a start that suits the layers one by one may not suit them through time.
NEVER_EXCLUDED = (Cause.WEIGHT_SCALE, Cause.ACTIVATION_SCALE)
# What they do shows when the model is evaluated, which a script may do after its last step alone.
SEEN_IN_EVALUATION = (Cause.MODE, Cause.BATCH_STATISTICS)
# Changes after which the weights may be so much smaller that the rate which suited them before wipes them out.
RESCALING = ("initialize-by-activation", "break-symmetry")
RATES = ("lower-learning-rate=0.1", "lower-learning-rate=0.3", "raise-learning-rate=3", "raise-learning-rate=10")


class Plan:
    """Candidates for the roots of a diagnosis, and advice for each change that a trial may make."""

    def __init__(self, diagnosis: Diagnosis, trace: Trace) -> None:
        self._trace = trace
        self._options = [(root, _prescriptions(root, trace)) for root in diagnosis.roots]
        self._root = diagnosis.roots[0]
        self.needs_the_whole = self._root.reveals in SEEN_IN_EVALUATION
        known = enactable()
        self._changes = [
            [change for p in options if p.remedy.name in known for change in p.changes] for _, options in self._options
        ]

    def candidates(self) -> list[Recipe]:
        """Recipes in the order of their promise: the likeliest remedy of the first root, others, combinations."""
        singles = [Recipe((change,)) for change in _by_turns(self._changes)][:SINGLES]
        first = [_firsts(changes) for changes in self._changes]
        meetings = [pair for mine, theirs in pairwise(first) for pair in product(mine[:2], theirs[:2])]
        meetings += [pair for mine in first[:1] for pair in pairwise(mine)]
        pairs = [recipe for a, b in meetings if len((recipe := Recipe((a,)) + Recipe((b,))).changes) == 2][:PAIRS]
        smaller = [single + Recipe.parse(RATES[0]) for single in singles[:1] if single.changes[0].name in RESCALING]
        return list(dict.fromkeys([*singles, *smaller, *pairs]))

    def left_to_the_user(self) -> Iterator[tuple[Recipe, Prescription]]:
        """What is prescribed and cannot be made in a script that is running: it is told with its code."""
        known = enactable()
        for _, options in self._options:
            for p in options:
                if p.remedy.name not in known or not p.changes:
                    yield Recipe(p.changes[:1] or (Change(p.remedy.name),)), p

    def refinements(self, best: Recipe) -> list[Recipe]:
        """The best recipe with another learning rate: what suited the sick run need not suit the mended one."""
        if any("learning-rate" in change.name for change in best.changes):
            return []
        return [best + Recipe.parse(rate) for rate in RATES]

    def advice(self, recipe: Recipe) -> tuple[Advice, ...]:
        """Each change in words and lines, with the finding that it was prescribed for."""
        return tuple(self._advice(change) for change in recipe.changes)

    def _advice(self, change: Change) -> Advice:
        remedy = named(change.name)
        assert remedy is not None, change
        prescribed_for = (root for root, options in self._options if any(p.remedy is remedy for p in options))
        finding: Finding = next(prescribed_for, self._root)
        code = remedy.code(finding, self._trace, change.value).strip("\n")
        return Advice(change, remedy.sentence, code, str(self._trace.meta.get(f"place_{remedy.place}") or ""))


def _prescriptions(root: Finding, trace: Trace) -> list[Prescription]:
    """For what the finding suspects, then for what its rule suspects and no rule can rule out."""
    sure = prescribe(root, trace)
    suspected = next((rule.suspects for rule in all_rules() if rule.code == root.code), ())
    left = tuple(cause for cause in NEVER_EXCLUDED if cause in suspected and cause not in root.causes)
    known = {p.remedy.name for p in sure}
    return sure + [p for p in prescribe(replace(root, reveals=None, causes=left), trace) if p.remedy.name not in known]


def _by_turns(ranked: Sequence[Sequence[Change]]) -> list[Change]:
    """The first of each root, then the second of each, …; the first root gives two at a turn."""
    turns: list[Change] = []
    queues = [list(changes) for changes in ranked]
    while any(queues):
        for place, queue in enumerate(queues):
            turns += [queue.pop(0) for _ in range(2 if place == 0 else 1) if queue]
    return list(dict.fromkeys(turns))


def _firsts(changes: Sequence[Change]) -> list[Change]:
    """One change of each remedy, with its likeliest parameter."""
    return list({change.name: change for change in reversed(changes)}.values())[::-1]
