"""The border between torch and everything else: what was measured in a run, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from trimtab.core.signal import Signal, SiteKind

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the model or program where signals are measured.

    `attrs` by kind (all optional):
    layer       op ("linear", "conv", "recurrent", "embedding", "batch_norm", "layer_norm", "other"), order (execution
                order), depth (weight layers on the longest path from the data), entry (data enters here), momentum (of
                a batch norm: the share of each batch in its running estimates)
    activation  fn ("relu", "sigmoid", ...), after (layer name), order, depth, role ("hidden", "gate", "output")
    parameter   layer, role ("weight", "bias", "scale"), numel, optimizer (name or None), dtype
    feature     input (layer that takes it), index, op
    loss        line ("train.py:57"), kind ("cross_entropy", "mse", ...)
    objective   compares ("mse", "cross_entropy", "squared", ...), classes, columns, line of the loss, form (a fault in
                how prediction meets target), detail of it
    optimizer   line, eps, momentum, weight_decay, as its first parameter group has them
    model       stateful (layers whose mode matters: batch norm, dropout)
    """

    kind: SiteKind
    name: str
    attrs: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])


@dataclass(frozen=True, slots=True)
class Series:
    """One signal over sampled steps: `steps` [T] ascending, `values` [T, S].

    NaN says that a site was not measured at that step. A value that was measured and is NaN or Inf stands as Inf.
    """

    steps: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once: kind "first-nonfinite", "unseen", "scaler-skip", "stopped"; with details."""

    step: int
    kind: str
    data: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything measured in a run. `steps` counts optimizer steps (backwards, where a program updates by hand).

    `meta`: script, started (ISO time), ended (how: "end", "exception", "exit", "interrupt", "terminated", "max-steps",
    None while running or killed), overhead (fraction), trimtab, torch, path (of the record).
    """

    sites: Mapping[SiteKind, tuple[Site, ...]]
    series: Mapping[str, Series]
    steps: int
    events: Sequence[Event] = ()
    meta: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])

    def __getitem__(self, signal: Signal) -> Floats:
        """Values of a signal, [T, S]; [0, S] when it was never measured."""
        found = self.series.get(signal.name)
        return np.empty((0, len(self.of(signal.per)))) if found is None else found.values

    def at(self, signal: Signal) -> Ints:
        """Steps at which a signal was measured, [T]."""
        found = self.series.get(signal.name)
        return np.empty(0, dtype=np.int64) if found is None else found.steps

    def until(self, steps: int) -> Trace:
        """The trace as it was after so many steps: what a live diagnosis would have seen."""
        series = {
            name: Series(of.steps[of.steps < steps], of.values[of.steps < steps]) for name, of in self.series.items()
        }
        events = tuple(event for event in self.events if event.step < steps)
        return replace(self, series=series, steps=min(self.steps, steps), events=events)

    def of(self, kind: SiteKind) -> tuple[Site, ...]:
        """Sites of one kind; their order is the second axis of every signal measured there."""
        return self.sites.get(kind, ())
