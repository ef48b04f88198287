"""`x − μ` with all the digits that x has, however large μ is."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.data.axis import along
from trimtab.data.buffers import DoubleBuffers


def halves(mean: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A float64 mean as the sum of two numbers of `dtype`: itself rounded, and what rounding left."""
    high = mean.to(dtype)
    return high, (mean - high.double()).to(dtype)


def centred(x: Tensor, mean: Tensor) -> Tensor:
    """`(x − μ_high) − μ_low`, in the dtype of `x`; `mean` is float64.

    The first difference is exact where x is near μ (Sterbenz 1974), so that nothing is lost at |μ|/σ = 1e4 in float32,
    where a rounded μ alone is off by up to 5e-4 σ.
    """
    high, low = halves(mean, x.dtype)
    return (x - high) - low


class Shift(DoubleBuffers):
    """`x − μ` as a layer: what `fold_into` keeps of a standardiser where the shift cannot be folded exactly.

    Args:
        mean: μ per feature, or one for all; kept in float64.
        dim: the dimension of the features; None where `mean` is one number.
    """

    mean: Tensor

    def __init__(self, mean: Tensor, dim: int | None = -1) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("mean", mean.detach().double().clone())

    def forward(self, x: Tensor) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        return centred(x.to(wide), along(self.mean, x, self.dim)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.mean.numel()} features, dim={self.dim}"
