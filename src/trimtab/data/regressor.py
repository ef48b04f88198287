"""A regression model that learns in standard units and predicts in the original ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from trimtab.data.standardizer import Standardizer


class StandardizedRegressor(nn.Module):
    """`σ_y f((x − μ_x)/σ_x) + μ_y`: raw inputs in, predictions in the unit of the targets out.

    Args:
        model: f, which sees and predicts standardised values.
        inputs: fitted on the training inputs; None where f takes raw inputs.
        targets: fitted on the training targets, as with `fit(loader, select=lambda item: item[1])`.

    Train with `loss`, which compares in standard units, where targets of any size give gradients of size 1.

    >>> import torch
    >>> y = torch.tensor([[1000.0], [3000.0]])
    >>> regressor = StandardizedRegressor(nn.Linear(2, 1), targets=Standardizer().fit(y))
    >>> bool((regressor(torch.zeros(1, 2)) > 500).all())  # an untrained model predicts near the mean
    True
    """

    def __init__(
        self, model: nn.Module, inputs: Standardizer | None = None, targets: Standardizer | None = None
    ) -> None:
        super().__init__()
        self.model, self.inputs, self.targets = model, inputs, targets

    def forward(self, x: Tensor) -> Tensor:
        y = self.standardized(x)
        return y if self.targets is None else self.targets.inverse(y)

    def standardized(self, x: Tensor) -> Tensor:
        """The prediction in standard units: what the model itself says."""
        return self.model(x if self.inputs is None else self.inputs(x))

    def loss(self, criterion: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """`criterion(f(z), (y − μ_y)/σ_y)` for raw inputs and raw targets."""
        return criterion(self.standardized(x), y if self.targets is None else self.targets(y))

    def folded(self, **options: Any) -> nn.Sequential:
        """A copy of the model that takes raw inputs and predicts in raw units by itself, for deployment.

        Args:
            options: `shift` and `limit` of `trimtab.data.fold_into`.

        Raises:
            TypeError: the model does not begin, or not end, with a layer that can be folded into; it must be such a
                layer or a Sequential.
        """
        model = copy.deepcopy(self.model)
        layers = model if isinstance(model, nn.Sequential) else nn.Sequential(model)
        if self.targets is not None:
            layers[-1] = self.targets.fold_inverse_into(layers[-1])
        if self.inputs is not None:
            layers[0] = self.inputs.fold_into(layers[0], **options)
        return layers
