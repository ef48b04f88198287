"""A dataset whose items come out standardised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils.data import Dataset


class StandardizedDataset(Dataset[Any]):
    """The items of another dataset, inputs and targets each through a standardiser (or any other transform).

    Args:
        dataset: map-style; items are inputs, or tuples `(inputs, target, …)`.
        inputs: applied to the inputs; None leaves them.
        targets: applied to the second of a tuple; None leaves it. For number targets fit it with `dim=None`.

    Fit on the training data, wrap training and test data alike.

    >>> import torch
    >>> from trimtab.data import Standardizer
    >>> rows = [(torch.tensor([0.0]), 1), (torch.tensor([4.0]), 0)]
    >>> StandardizedDataset(rows, inputs=Standardizer().fit(rows))[1]
    (tensor([1.]), 0)
    """

    def __init__(
        self, dataset: Any, inputs: Callable[[Any], Any] | None = None, targets: Callable[[Any], Any] | None = None
    ) -> None:
        self.dataset, self.inputs, self.targets = dataset, inputs, targets

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        item = self.dataset[index]
        if not isinstance(item, (tuple, list)):
            return self._input(item)
        first, *rest = item
        if rest and self.targets is not None:
            rest[0] = self.targets(rest[0])
        return (self._input(first), *rest)

    def _input(self, x: Any) -> Any:
        return x if self.inputs is None else self.inputs(x)
