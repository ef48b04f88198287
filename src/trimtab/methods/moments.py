"""Mean and sum of squared deviations in one pass over the data, so kept that the parts of a data set can be merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Moments:
    """Count `n`, mean `x̄ = 1/n Σ xᵢ` and sum of squared deviations `M₂ = Σ (xᵢ − x̄)²`, in float64.

    The three have one shape: that of the dimensions that were kept. No value at all is `n = 0, x̄ = 0, M₂ = 0`, the
    neutral element of `merge`.

    Sources: Welford (1962), Technometrics 4(3); Chan, Golub, LeVeque (1983), The American Statistician 37(3).

    >>> parts = torch.tensor([1.0, 2.0, 3.0, 4.0]).split(3)
    >>> whole = Moments.of(parts[0]).merge(Moments.of(parts[1]))
    >>> whole.mean.item(), whole.variance().item()
    (2.5, 1.25)
    """

    count: Tensor
    mean: Tensor
    m2: Tensor

    @classmethod
    def of(cls, x: Tensor, dims: int | Sequence[int] | None = None, keep: Tensor | None = None) -> Moments:
        """The moments of `x` over `dims` (None: over all), of the values where `keep` is true (None: of all).

        Centred twice before it squares: the first mean is rounded, and what it is off by is again a mean. Right to
        rounding at |mean|/sd = 1e8, where `1/n Σ x² − x̄²` has no digit left at 1e4 in float32.
        """
        axes = tuple(range(x.ndim)) if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
        if not axes:  # torch reads "over no dimension" as "over all of them"
            return cls.of(x[None], 0, None if keep is None else keep[None])
        x = x.double()

        def total(values: Tensor) -> Tensor:
            return (values if keep is None else torch.where(keep, values, 0.0)).sum(axes, keepdim=True)

        count = total(x.new_ones(()).expand_as(x))
        mean = total(x) / count.clamp(min=1)
        mean = mean + total(x - mean) / count.clamp(min=1)
        m2 = total((x - mean).square())
        return cls(*(value.squeeze(axes) for value in (count, mean, m2)))

    def merge(self, other: Moments) -> Moments:
        """The moments of both parts together: `x̄ = x̄ₐ + δ n_b/n`, `M₂ = M₂ₐ + M₂_b + δ² nₐ n_b/n`, `δ = x̄_b − x̄ₐ`.

        Commutative and associative to rounding.
        """
        count = self.count + other.count
        share = other.count / count.clamp(min=1)
        delta = other.mean - self.mean
        return Moments(count, self.mean + delta * share, self.m2 + other.m2 + delta.square() * self.count * share)

    def variance(self, unbiased: bool = False) -> Tensor:
        """Biased `M₂/n` or unbiased `M₂/(n − 1)`; NaN where that divides by nothing."""
        return self.m2 / (self.count - int(unbiased)).clamp(min=0)
