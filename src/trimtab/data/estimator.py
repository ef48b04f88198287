"""`Standardizer` as a scikit-learn transformer; needs scikit-learn ≥ 1.6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from trimtab.data.finite import Policy
from trimtab.data.standardizer import Standardizer
from trimtab.data.statistics import Constant

if TYPE_CHECKING:
    from typing_extensions import Self

FLOATS: Any = [np.float64, np.float32, np.float16]


class StandardizerTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """`(x − μ) / σ` per column, in a scikit-learn pipeline; passes all of scikit-learn's estimator checks.

    As scikit-learn wants it, `fit` starts over each time and `partial_fit` adds. Differs from `StandardScaler`: the
    variance may be unbiased, NaN is refused unless omitted by an explicit choice, a column is constant where
    `σ ≤ 4 ε |μ|`; no sparse matrices (centring would fill them), no sample weights.

    Args:
        unbiased: σ² divides by n − 1 instead of n.
        constant: "unit" divides constant columns by 1, "warn" does and says so, "raise" refuses.
        nan: "raise" refuses NaN, "omit" leaves each out of its column.

    Attributes:
        standardizer_: the fitted `Standardizer`, for use in a torch model.
        mean_, scale_, var_, n_samples_seen_: per column, as those of `StandardScaler`.
        constant_features_: the columns that are divided by 1.

    >>> StandardizerTransformer().fit_transform([[1.0, 10.0], [3.0, 30.0]])
    array([[-1., -1.],
           [ 1.,  1.]])
    """

    def __init__(self, *, unbiased: bool = False, constant: Constant = "unit", nan: Policy = "raise") -> None:
        self.unbiased = unbiased
        self.constant: Constant = constant
        self.nan: Policy = nan

    def fit(self, X: Any, y: Any = None) -> Self:
        """Statistics of `X` [rows, columns] alone, then frozen; `y` is ignored."""
        self.standardizer_ = self._unfitted().fit(self._checked(X, reset=True))
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Adds the statistics of `X` to those of the calls before."""
        first = not hasattr(self, "standardizer_")
        values = self._checked(X, reset=first)
        standardizer = self._unfitted() if first else self.standardizer_
        self.standardizer_ = standardizer.unfreeze().update(values)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """`(x − μ) / σ`; NaN passes through under `nan="omit"`."""
        check_is_fitted(self)
        return self.standardizer_.transform(self._checked(X, reset=False))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """`σ x + μ`."""
        check_is_fitted(self)
        return self.standardizer_.inverse(check_array(X, dtype=FLOATS, ensure_all_finite=self._finite))

    @property
    def mean_(self) -> np.ndarray:
        """μ per column."""
        return self.standardizer_.mean.numpy()

    @property
    def var_(self) -> np.ndarray:
        """σ² per column."""
        return self.standardizer_.variance.numpy()

    @property
    def scale_(self) -> np.ndarray:
        """What each column is divided by."""
        return self.standardizer_.scale.numpy()

    @property
    def n_samples_seen_(self) -> np.ndarray:
        """How many values of each column were seen."""
        return self.standardizer_.count.numpy().astype(np.int64)

    @property
    def constant_features_(self) -> list[int]:
        """The columns that are divided by 1."""
        return self.standardizer_.constant_features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.nan == "omit"
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        return tags

    @property
    def _finite(self) -> Any:
        return "allow-nan" if self.nan == "omit" else True

    def _unfitted(self) -> Standardizer:
        return Standardizer(unbiased=self.unbiased, constant=self.constant, nan=self.nan)

    def _checked(self, X: Any, reset: bool) -> Any:
        return validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite=self._finite)
