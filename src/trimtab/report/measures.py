"""What two runs are compared by: a number each, with its name, made from a trace alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from trimtab.core.course import Course, main_course
from trimtab.core.depth import chains
from trimtab.core.signal import (
    ACCURACY,
    DEAD,
    EVALUATION_LOSS,
    FEATURE_MEAN,
    FEATURE_SD,
    SATURATED,
    UPDATE_RMS,
    WEIGHT_RMS,
    Signal,
)
from trimtab.core.trace import Floats, Trace


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a run. `share` says that it lies in [0, 1]; `of_loss` that it has the unit of the loss."""

    name: str
    value: float
    share: bool = False
    of_loss: bool = False


def measures(trace: Trace, until: int) -> list[Measure]:
    """The numbers that the trace has; `until` is the number of steps that both runs have."""
    found = [*_losses(trace, until), *_evaluations(trace)]
    for name, value, share in (
        ("gain M per layer", _gain(trace), False),
        ("worst share of dead units", _at_the_end(trace, DEAD, np.nanmax), True),
        ("worst share of saturated units", _at_the_end(trace, SATURATED, np.nanmax), True),
        ("update / weight", _update_ratio(trace), False),
        ("median size of the input features", _input_size(trace), False),
        ("share of the time that watching took", _overhead(trace), True),
    ):
        if value is not None and np.isfinite(value):
            found.append(Measure(name, value, share))
    return found


def _losses(trace: Trace, until: int) -> Iterator[Measure]:
    course = main_course(trace)
    if course is None:
        return
    yield Measure("loss at the start", course.start, of_loss=True)
    if until < trace.steps and (level := _level(course, until)) is not None:
        yield Measure(f"loss after {until:,} steps", level, of_loss=True)
    yield Measure("loss at the end", course.now, of_loss=True)
    yield Measure("lowest level of the loss", course.lowest, of_loss=True)


def _level(course: Course, until: int) -> float | None:
    """The median of the last tenth of the values before a step."""
    values = course.values[course.steps < until]
    return float(np.median(values[-max(len(values) // 10, 3) :])) if len(values) else None


def _evaluations(trace: Trace) -> Iterator[Measure]:
    losses = trace[EVALUATION_LOSS][np.isfinite(trace[EVALUATION_LOSS])]
    if losses.size:
        yield Measure("last evaluation loss", float(losses[-1]), of_loss=True)
        yield Measure("best evaluation loss", float(losses.min()), of_loss=True)
    accuracy = _at_the_end(trace, ACCURACY, np.nanmean)
    if accuracy is not None:
        yield Measure("accuracy on the batches at the end", accuracy, share=True)


def _gain(trace: Trace) -> float | None:
    """M of the model with most layers, from the typical share of the gradient that gets to its first layer."""
    chain = max(chains(trace), key=lambda chain: len(chain.names), default=None)
    if chain is None:
        return None
    reach = chain.reach()
    usable = np.isfinite(reach) & (reach > 0)
    return chain.gain(float(np.median(reach[usable]))) if usable.any() else None


def _at_the_end(trace: Trace, signal: Signal, over: Callable[..., Floats]) -> float | None:
    """The median over the last fifth of the looks, at least 3, of what `over` makes of the sites."""
    values = trace[signal]
    values = values[~np.isnan(values).all(axis=1)] if values.size else values
    if not values.size:
        return None
    return float(np.median(over(values[-max(len(values) // 5, 3) :], axis=1)))


def _update_ratio(trace: Trace) -> float | None:
    _, moved, stood = np.intersect1d(trace.at(UPDATE_RMS), trace.at(WEIGHT_RMS), return_indices=True)
    weights = [place for place, site in enumerate(trace.of("parameter")) if site.attrs.get("role") == "weight"]
    update, weight = trace[UPDATE_RMS][moved][:, weights], trace[WEIGHT_RMS][stood][:, weights]
    sound = np.isfinite(update) & np.isfinite(weight) & (weight > 0)
    return float(np.median(update[sound] / weight[sound])) if sound.any() else None


def _input_size(trace: Trace) -> float | None:
    means, sds = trace[FEATURE_MEAN], trace[FEATURE_SD]
    if not means.size or means.shape != sds.shape:
        return None
    sizes = np.sqrt(means[-1] ** 2 + sds[-1] ** 2)
    sizes = sizes[np.isfinite(sizes)]
    return float(np.median(sizes)) if sizes.size else None


def _overhead(trace: Trace) -> float | None:
    overhead = trace.meta.get("overhead")
    return float(overhead) if isinstance(overhead, (int, float)) else None
