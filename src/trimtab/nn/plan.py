"""What a normalisation is to do, and how plain operations do it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from trimtab.nn.arithmetic import Dims, Statistics, measure, scale_and_shift, size


class Plan(NamedTuple):
    """Over which dimensions statistics are taken, over which parameters are shared, ε, and what n is lessened by."""

    dims: Dims
    batch_dims: Dims
    eps: float
    correction: int

    def of_channels(self, x: Tensor) -> bool:
        """Whether the statistics are of dimension 1, as in batch normalisation, or of the last dimensions."""
        return x.ndim > 1 and 0 in self.dims and 1 not in self.dims

    def divisor(self, x: Tensor) -> int:
        """Of the variance of x."""
        return size(x, self.dims) - self.correction


def normalize(x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan) -> tuple[Tensor, Statistics, Tensor]:
    """`γ x̂ + κ` in plain operations, with the statistics and s. The compiler differentiates and fuses these itself."""
    centred, statistics, deviation = measure(x, plan.dims, plan.eps, plan.divisor(x))
    y = scale_and_shift(centred * statistics.rstd, weight, bias).to(x.dtype)
    return y, statistics, deviation
