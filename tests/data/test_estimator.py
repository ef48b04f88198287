"""The standardiser in scikit-learn: its estimator checks, its pipelines, its StandardScaler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from trimtab.data import Standardizer

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from trimtab.data import StandardizerTransformer

CHECKS: list[Any] = [
    pair
    for candidate in (StandardizerTransformer(), StandardizerTransformer(unbiased=False, nan="omit"))
    for pair in estimator_checks_generator(candidate, mark=None)
]


def name(check: Any) -> str:
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[name(check) for _, check in CHECKS])
def test_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_real_data_as_standard_scaler_has_them(load: Any) -> None:
    x, y = load(return_X_y=True)
    ours: Any = StandardizerTransformer().fit(x)
    theirs: Any = StandardScaler().fit(x)
    for attribute in ("mean_", "var_", "scale_"):
        np.testing.assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-12)
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.inverse_transform(ours.transform(x)), x, rtol=1e-12, atol=1e-12)
    assert (ours.n_samples_seen_ == len(x)).all()
    assert make_pipeline(ours, LogisticRegression()).fit(x, y).score(x, y) > 0.97
    torch.testing.assert_close(Standardizer().fit(torch.from_numpy(x)).mean, ours.standardizer_.mean)


def test_fit_starts_over_and_partial_fit_adds() -> None:
    x = np.random.default_rng(0).standard_normal((60, 3))
    transformer = StandardizerTransformer(unbiased=True).fit(x * 5)
    np.testing.assert_allclose(transformer.fit(x).var_, x.var(0, ddof=1))
    parts = StandardizerTransformer()
    for row in x:
        parts.partial_fit(row[None])
    np.testing.assert_allclose(parts.transform(x), transformer.set_params(unbiased=False).fit_transform(x))


def test_missing_values_only_by_an_explicit_choice() -> None:
    x = np.random.default_rng(1).standard_normal((60, 3))
    x[::4, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        StandardizerTransformer().fit(x)
    np.testing.assert_allclose(StandardizerTransformer(nan="omit").fit(x).mean_, np.nanmean(x, 0))


def test_constant_columns() -> None:
    x = np.full((9, 2), 0.1, np.float32)
    x[:, 1] = np.arange(9)
    transformer = StandardizerTransformer()
    assert (transformer.fit_transform(x)[:, 0] == 0).all()
    assert transformer.constant_features_ == [0]
    with pytest.raises(ValueError, match="feature 0 never varied"):
        StandardizerTransformer(constant="raise").fit(x)
    with pytest.warns(UserWarning, match="feature 0 never varied"):
        StandardizerTransformer(constant="warn").fit(x)


def test_targets_of_a_regression() -> None:
    x = np.random.default_rng(2).standard_normal((50, 2))
    y = 1e4 + 1e3 * x @ [1.0, 2.0]
    model = TransformedTargetRegressor(Ridge(1e-9), transformer=StandardizerTransformer())
    np.testing.assert_allclose(model.fit(x, y).predict(x), y, rtol=1e-8)
