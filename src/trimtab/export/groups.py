"""Under which heading a dashboard shows a signal."""

from __future__ import annotations

from trimtab.core import signal as s
from trimtab.core.signal import Signal

_GROUPS: dict[str, tuple[Signal, ...]] = {
    "loss": (s.LOSS, s.LOSS_SCALE, s.EVALUATION_LOSS),
    "gradient": (
        *(s.DELTA_NORM, s.GRAD_RMS, s.GRAD_USED_RMS, s.COLUMN_SPREAD, s.TIME_GAIN),
        *(s.GRADIENT_DOT, s.GRADIENT_POWER),
    ),
    "weight": (s.WEIGHT_RMS, s.UPDATE_RMS, s.UNIT_SPREAD, s.SWALLOWED),
    "activation": (s.IN_RMS, s.IN_SPREAD, s.OUT_SPREAD, s.ZERO, s.DEAD, s.SATURATED, s.STUCK),
    "optimizer": (s.LEARNING_RATE, s.LEFTOVER, s.EPSILON_SHARE, s.WEIGHT_DECAY, s.WEIGHT_SHRINKAGE),
    "batch_norm": (s.BATCH_VALUES, s.BATCH_MODE, s.MEAN_DRIFT, s.VARIANCE_DRIFT),
}
_OF_SIGNAL = {signal.name: group for group, signals in _GROUPS.items() for signal in signals}


def group_of(signal: Signal) -> str:
    """The heading; the kind of site where a signal belongs under none."""
    return _OF_SIGNAL.get(signal.name, signal.per)
