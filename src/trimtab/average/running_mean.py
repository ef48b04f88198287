"""The mean of all observations so far."""

from __future__ import annotations

from torch import Tensor

from trimtab.average.recursive import RecursiveAverage
from trimtab.methods import gain


class RunningMean(RecursiveAverage):
    """Mean of all observations so far: `m_t = m_{t−1} + (o_t − m_{t−1}) / t`.

    Every observation counts alike, however old: right for a quantity that stands still, late for one that drifts.

    Differs from torch: as a model's average it is stochastic weight averaging, `AveragedModel` with no `avg_fn`.

    Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products".

    >>> mean = RunningMean()
    >>> [mean.update(o) for o in (1.0, 3.0, 8.0)]
    [1.0, 2.0, 4.0]
    """

    def gain(self, t: int) -> float:
        """The weight `1/t` of the t-th observation, t = 1, 2, …."""
        if t < 1:
            raise ValueError(f"RunningMean.gain: t={t}, expected 1 for the first observation, 2 for the second, …")
        return gain.of_mean(t)

    def device_gain(self, t: Tensor) -> Tensor:
        """The same of a count that the host does not read, as a compiled step has it."""
        return 1 / t

    def __repr__(self) -> str:
        return "RunningMean()"
