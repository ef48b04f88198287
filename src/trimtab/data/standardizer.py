"""`Standardizer`: fitted in one pass on the training data, then a layer, a transform, and its own inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trimtab.data import folding
from trimtab.data.arrays import as_tensor, like
from trimtab.data.axis import along, check_width
from trimtab.data.shift import centred, halves
from trimtab.data.streaming import StreamedStatistics


class Standardizer(StreamedStatistics):
    """`(x − μ) / σ` per feature, μ and σ from the training data alone: one pass, float64, mergeable, then frozen.

    A feature counts as constant where `σ ≤ 4 ε |μ|` (float64's ε): its spread is rounding. It is divided by 1.

    Args:
        features: how many; None learns it from the first batch, or from a state_dict.
        dim: the dimension of the features: −1 for tables and sequences; 1 for batches of channels-first images, −3
            for such images with a batch dimension or without; None for one μ and σ over all values, as for targets
            of shape [B].
        unbiased: σ² divides by n − 1 instead of n.
        constant: what to do about constant features when the statistics are frozen: "warn" names them in one warning,
            "unit" says nothing, "raise" refuses. `constant_features` lists them in any case.
        nan: "raise" refuses NaN in the data and says where; "omit" leaves each such value out of its feature.
        inf: the same for ±Inf.

    Any real dtype is measured in float64. `transform` computes in float32 or wider, without losing digits to a large
    mean, and returns the dtype that it was given (torch's default dtype for integers, float64 for NumPy's). The
    statistics stay float64 under `.half()`; the device must know float64. `state_dict` holds `count`, `mean`, `m2` and
    `frozen`. Values may be as small as 1e-150 and as large as 1e150.

    Sources: LeCun, Bottou, Orr, Müller (1998), "Efficient BackProp", section 4.3; for the statistics
    `trimtab.methods.moments`.

    >>> standardizer = Standardizer().fit(torch.tensor([[1.0, 10.0], [3.0, 30.0]]))
    >>> standardizer(torch.tensor([3.0, 20.0]))
    tensor([1., 0.])
    >>> standardizer.inverse(torch.tensor([1.0, 0.0]))
    tensor([ 3., 20.])
    """

    def transform(self, x: Tensor | np.ndarray) -> Any:
        """`(x − μ) / σ` of a batch or of one sample; differentiable. NaN and Inf pass through.

        Returns: a tensor, or an array for an array.

        Raises:
            RuntimeError: nothing has been fitted.
            ValueError: wrong number of features.
        """
        values, wide = self._received(x, "transform")
        y = centred(wide, along(self.mean, wide, self.dim)) / self._divisor(wide)
        return like(y.to(values.dtype if values.is_floating_point() else torch.get_default_dtype()), x)

    def forward(self, x: Tensor) -> Tensor:
        return self.transform(x)

    def inverse(self, y: Tensor | np.ndarray) -> Any:
        """`σ y + μ`: back to the original unit, as for predictions of a standardised target.

        Returns: a tensor, or an array for an array; float32 for half precision, which has too few digits for the
        original unit.
        """
        _, wide = self._received(y, "inverse")
        high, low = halves(along(self.mean, wide, self.dim), wide.dtype)
        return like((wide * self._divisor(wide) + low) + high, y)

    def fold_into(self, layer: nn.Module, *, shift: folding.Keep = "auto", limit: float | None = None) -> nn.Module:
        """The layer that does to raw inputs what `layer` does to standardised ones: `trimtab.data.fold_into`."""
        return folding.fold_into(self, layer, shift=shift, limit=limit)

    def fold_inverse_into(self, layer: nn.Module, *, limit: float | None = None) -> nn.Module:
        """The layer whose outputs are in the original unit: `trimtab.data.fold_inverse_into`."""
        return folding.fold_inverse_into(self, layer, limit=limit)

    def _received(self, x: Any, verb: str) -> tuple[Tensor, Tensor]:
        """The values, as given and wide enough to compute in."""
        self.must_suffice(verb)
        values = as_tensor(x, self._at(verb))
        check_width(values, self.dim, self._width, self._at(verb))
        if not isinstance(x, Tensor):
            values = values.to(self.mean.device)
        narrow = values.dtype == torch.float32 or values.element_size() < 4  # all of these are exact in float32
        return values, values.to(torch.float32 if narrow else torch.float64)

    def _divisor(self, x: Tensor) -> Tensor:
        """σ in the dtype of `x`, never rounded to 0: what spreads less is 0 in that dtype itself."""
        return along(self.scale, x, self.dim).to(x.dtype).clamp(min=torch.finfo(x.dtype).tiny)
