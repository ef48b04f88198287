"""Averages of drifting quantities: running mean, box average, EMA; over numbers, arrays, tensors and whole models.

One EMA serves the optimizers' weight average, the norm layers' running estimates, and any logged series.
"""

from __future__ import annotations

from trimtab.average.box import BoxAverage
from trimtab.average.ema import EMA
from trimtab.average.horizon import alpha_of, horizon
from trimtab.average.model import AveragedModel
from trimtab.average.recursive import RecursiveAverage
from trimtab.average.running_mean import RunningMean
from trimtab.average.update import update_

__all__ = ["EMA", "AveragedModel", "BoxAverage", "RecursiveAverage", "RunningMean", "alpha_of", "horizon", "update_"]
