"""The measurements as named curves, as few as a dashboard can show: `gradient/grad_rms/net.0.weight`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.core.signal import UPDATE_RMS, WEIGHT_RMS, Signal
from trimtab.core.trace import Floats, Ints, Trace
from trimtab.export.groups import group_of
from trimtab.export.sites import site_names
from trimtab.report.figures.thin import striking_points

SITES = 50
POINTS = 1000


@dataclass(frozen=True, slots=True)
class Curve:
    """One value over steps, without those that were not measured."""

    tag: str
    steps: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """All curves of a run, and in words what they leave out."""

    items: tuple[Curve, ...]
    left_out: tuple[str, ...]

    def __len__(self) -> int:
        return sum(len(curve.steps) for curve in self.items)

    def by_step(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The values of each step by their tags, steps in ascending order."""
        rows: defaultdict[int, dict[str, float]] = defaultdict(dict)
        for curve in self.items:
            for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
                rows[step][curve.tag] = value
        yield from sorted(rows.items())


def curves(trace: Trace, signals: Sequence[Signal], sites: int = SITES) -> Curves:
    """A curve for each signal and site, and of the update over the weights.

    A signal with more than `sites` sites has the least, median and most over all of them, and curves for so many of
    them, evenly taken. A curve keeps at most POINTS points: the lowest and the highest of each stretch.
    """
    items: list[Curve] = []
    crowded: list[str] = []
    for tag, names, steps, values in _measured(trace, signals):
        kept = _evenly(len(names), sites)
        if len(kept) < len(names):
            crowded.append(f"{tag} of {len(names) - len(kept):,} of {len(names):,} sites")
            items += _summary(tag, steps, values)
        items += (_curve(f"{tag}/{names[place]}", steps, values[:, place]) for place in kept)
    items = [curve for curve in items if len(curve.steps)]
    long = sum(len(curve.steps) > POINTS for curve in items)
    left_out = (*crowded, *((f"points of {long:,} curves beyond {POINTS:,} each",) if long else ()))
    return Curves(tuple(_thinned(curve) for curve in items), left_out)


def _measured(trace: Trace, signals: Sequence[Signal]) -> Iterator[tuple[str, list[str], Ints, Floats]]:
    for signal in signals:
        yield (
            f"{group_of(signal)}/{signal.name}",
            site_names(trace, signal.per),
            trace.at(signal),
            trace[signal],
        )
    if UPDATE_RMS in signals and WEIGHT_RMS in signals:
        steps, moved, stood = np.intersect1d(trace.at(UPDATE_RMS), trace.at(WEIGHT_RMS), return_indices=True)
        update, weight = trace[UPDATE_RMS][moved], trace[WEIGHT_RMS][stood]
        ratio = np.divide(update, weight, out=np.full(update.shape, np.nan), where=weight > 0)
        yield "weight/update_ratio", site_names(trace, UPDATE_RMS.per), steps, ratio


def _evenly(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most)).tolist()})


def _summary(tag: str, steps: Ints, values: Floats) -> Iterator[Curve]:
    seen = ~np.isnan(values).all(axis=1)
    steps, values = steps[seen], values[seen]
    for word, over in (("least", np.nanmin), ("median", np.nanmedian), ("most", np.nanmax)):
        yield Curve(f"{tag}/{word} of all", steps, over(values, axis=1) if len(values) else np.empty(0))


def _curve(tag: str, steps: Ints, values: Floats) -> Curve:
    present = ~np.isnan(values)
    return Curve(tag, steps[present], values[present])


def _thinned(curve: Curve) -> Curve:
    kept = striking_points(curve.values, POINTS)
    return Curve(curve.tag, curve.steps[kept], curve.values[kept])
