"""Two runs side by side, as values: what was found, how they are set up, what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log

from trimtab.core.course import main_course
from trimtab.core.finding import Diagnosis, Finding
from trimtab.core.settings import Settings
from trimtab.core.trace import Trace
from trimtab.report.measures import Measure, measures
from trimtab.report.setup import layer_changes, loss_kinds, setup
from trimtab.rules.judging import DEFAULTS, judge


@dataclass(frozen=True, slots=True)
class Pair:
    """A number of both runs, None where one has none; `change` is what came to it, in parts of A's."""

    name: str
    a: float | None
    b: float | None
    share: bool
    change: float | None

    @property
    def weight(self) -> float:
        """How much has changed, for the order: |log b/a|, of shares the difference; what one run lacks comes last."""
        if self.a is None or self.b is None:
            return -1.0
        if self.share:
            return 5 * abs(self.b - self.a)
        if self.a == self.b:
            return 0.0
        return abs(log(self.b / self.a)) if self.a * self.b > 0 else inf


@dataclass(frozen=True, slots=True)
class Contrast:
    """What changed from run A to run B.

    `gone`, `new` and `stayed` are findings, those of the latter as B has them; `setup` is what differs, with both
    values; `pairs` are the measurements, those of the loss first, then the largest changes first. `apart` says why the
    losses cannot be compared, and is empty where they can.
    """

    a: Diagnosis
    b: Diagnosis
    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    stayed: tuple[Finding, ...]
    setup: tuple[tuple[str, str, str], ...]
    pairs: tuple[Pair, ...]
    apart: str


def contrast(a: Trace, b: Trace, settings: Settings = DEFAULTS) -> Contrast:
    """Both runs diagnosed and set against each other."""
    before, after = judge(a, settings=settings), judge(b, settings=settings)
    codes_a, codes_b = {f.code for f in before.findings}, {f.code for f in after.findings}
    apart = _apart(a, b)
    return Contrast(
        a=before,
        b=after,
        gone=tuple(f for f in before.findings if f.code not in codes_b),
        new=tuple(f for f in after.findings if f.code not in codes_a),
        stayed=tuple(f for f in after.findings if f.code in codes_a),
        setup=_differences(a, b),
        pairs=_pairs(a, b, not apart),
        apart=apart,
    )


def _apart(a: Trace, b: Trace) -> str:
    missing = [name for name, trace in (("A", a), ("B", b)) if main_course(trace) is None]
    if missing:
        return f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} no loss that was seen over some steps"
    kinds_a, kinds_b = loss_kinds(a), loss_kinds(b)
    if kinds_a and kinds_b and kinds_a != kinds_b:
        return f"the losses differ in kind: {', '.join(kinds_a)} and {', '.join(kinds_b)}"
    return ""


def _differences(a: Trace, b: Trace) -> tuple[tuple[str, str, str], ...]:
    here, there = setup(a), setup(b)
    rows = [(name, here.get(name, ""), there.get(name, "")) for name in dict.fromkeys((*here, *there))]
    changed = [row for row in rows if row[1] != row[2]]
    return (*changed, *((name, *pair) for name, pair in layer_changes(a, b).items()))


def _pairs(a: Trace, b: Trace, comparable: bool) -> tuple[Pair, ...]:
    until = min(a.steps, b.steps)
    here, there = ({m.name: m for m in measures(trace, until)} for trace in (a, b))
    level = f"loss after {until:,} steps"
    for known in (here, there):  # the shorter run has come to its end there
        if level not in known and "loss at the end" in known and a.steps != b.steps:
            end = known["loss at the end"]
            known[level] = Measure(level, end.value, of_loss=True)
    names = sorted(dict.fromkeys((*here, *there)), key=lambda name: _is_loss(name, here, there), reverse=True)
    pairs = [_pair(name, here.get(name), there.get(name), comparable) for name in names]
    losses = [pair for pair in pairs if _is_loss(pair.name, here, there)]
    return (*losses, *sorted(pairs[len(losses) :], key=lambda pair: -pair.weight))


def _is_loss(name: str, here: dict[str, Measure], there: dict[str, Measure]) -> bool:
    return any(name in known and known[name].of_loss for known in (here, there))


def _pair(name: str, here: Measure | None, there: Measure | None, comparable: bool) -> Pair:
    a, b = None if here is None else here.value, None if there is None else there.value
    either = here or there
    share = either is not None and either.share
    of_loss = either is not None and either.of_loss
    change = (b - a) / abs(a) if a and b is not None and (comparable or not of_loss) else None
    return Pair(name, a, b, share, change)
