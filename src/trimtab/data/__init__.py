"""Data normalisation as PyTorch components: fit once on the training data, use everywhere, fold away at the end.

Each is tested against its textbook formula in `trimtab.methods.standardize`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trimtab.data.dataset import StandardizedDataset
from trimtab.data.folding import fold_into, fold_inverse_into
from trimtab.data.regressor import StandardizedRegressor
from trimtab.data.shift import Shift
from trimtab.data.standardizer import Standardizer

if TYPE_CHECKING:
    from trimtab.data.estimator import StandardizerTransformer

__all__ = [
    "Shift",
    "StandardizedDataset",
    "StandardizedRegressor",
    "Standardizer",
    "StandardizerTransformer",
    "fold_into",
    "fold_inverse_into",
]


def __getattr__(name: str) -> Any:
    """The scikit-learn estimator is imported at first use: scikit-learn is optional."""
    if name == "StandardizerTransformer":
        from trimtab.data.estimator import StandardizerTransformer

        return StandardizerTransformer
    raise AttributeError(f"module 'trimtab.data' has no attribute {name!r}")
