"""Which recipes are worth a trial: the remedies of the root causes, alone and together."""

from __future__ import annotations

from itertools import pairwise, product

from trimtab.core.finding import Diagnosis, Finding
from trimtab.core.recipe import Change, Recipe
from trimtab.core.trace import Trace
from trimtab.remedies import prescribe
from trimtab.trial.enactors import enactable

SINGLES = 8  # recipes of one change
PAIRS = 5  # of two
RATES = ("lower-learning-rate=0.1", "lower-learning-rate=0.3", "raise-learning-rate=3", "raise-learning-rate=10")


def candidates(diagnosis: Diagnosis, trace: Trace) -> list[Recipe]:
    """Recipes in the order of their promise: the likeliest remedy of the first root, then others, then combinations."""
    roots = diagnosis.roots
    ranked = [_changes(root, trace) for root in roots]
    singles = [Recipe((change,)) for change in _by_turns(ranked)][:SINGLES]
    first = [_firsts(changes) for changes in ranked]
    meetings = [pair for mine, theirs in pairwise(first) for pair in product(mine[:2], theirs[:2])]
    meetings += [pair for mine in first[:1] for pair in pairwise(mine)]
    pairs = [recipe for a, b in meetings if len((recipe := Recipe((a,)) + Recipe((b,))).changes) == 2][:PAIRS]
    return list(dict.fromkeys([*singles, *pairs]))


def refinements(best: Recipe) -> list[Recipe]:
    """The best recipe with another learning rate: what suited the sick run need not suit the mended one."""
    if any("learning-rate" in change.name for change in best.changes):
        return []
    return [best + Recipe.parse(rate) for rate in RATES]


def _changes(root: Finding, trace: Trace) -> list[Change]:
    """The changes that treat a root and can be made in a live script, likeliest first."""
    known = enactable()
    return [change for p in prescribe(root, trace) if p.remedy.name in known for change in p.changes]


def _by_turns(ranked: list[list[Change]]) -> list[Change]:
    """The first of each root, then the second of each, …; the first root gives two at a turn."""
    turns: list[Change] = []
    queues = [list(changes) for changes in ranked]
    while any(queues):
        for place, queue in enumerate(queues):
            turns += [queue.pop(0) for _ in range(2 if place == 0 else 1) if queue]
    return list(dict.fromkeys(turns))


def _firsts(changes: list[Change]) -> list[Change]:
    """One change of each remedy, with its likeliest parameter."""
    return list({change.name: change for change in reversed(changes)}.values())[::-1]
