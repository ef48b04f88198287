"""What a Standardizer knows of its data: exact, streamed, merged, frozen; and what it refuses."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from trimtab.data import Standardizer, measuring
from trimtab.data.finite import Policy
from trimtab.kernels import native

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=40)


def draw(seed: int, *shape: int, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return mean + sd * np.random.default_rng(seed).standard_normal(shape)


def check(standardizer: Standardizer, x: np.ndarray, axes: int | tuple[int, ...] | None = 0) -> None:
    """Equal to NumPy's two passes."""
    x, ddof = x.astype(np.float64), int(standardizer.unbiased)
    np.testing.assert_allclose(standardizer.mean, x.mean(axes), rtol=1e-13, atol=1e-13 * float(x.std()))
    np.testing.assert_allclose(standardizer.scale, x.std(axes, ddof=ddof), rtol=1e-9)


@EXAMPLES
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 150),
    size=st.integers(1, 60),
    ratio=st.floats(-1e4, 1e4),
    exponent=st.integers(-20, 20),
    unbiased=st.booleans(),
)
def test_streaming_equals_numpy(seed: int, rows: int, size: int, ratio: float, exponent: int, unbiased: bool) -> None:
    x = (ratio + draw(seed, rows, 3)) * 10.0**exponent
    standardizer = Standardizer(unbiased=unbiased)
    for batch in torch.from_numpy(x).split(size):
        standardizer.update(batch)
    check(standardizer, x)
    assert standardizer.count.tolist() == [rows] * 3


@EXAMPLES
@given(
    seed=st.integers(0, 2**32 - 1),
    owners=st.lists(st.integers(0, 3), min_size=2, max_size=80),
    swap=st.permutations(range(4)),
)
def test_workers_merge_to_the_whole_in_any_order(seed: int, owners: list[int], swap: list[int]) -> None:
    x = draw(seed, len(owners), 2, mean=1e4)
    workers = [Standardizer() for _ in range(4)]
    for row, owner in zip(torch.from_numpy(x), owners, strict=True):
        workers[owner].update(row)
    whole = Standardizer()
    for worker in swap:
        whole.merge(workers[worker])
    check(whole, x)


def test_mean_far_larger_than_deviation_in_float32() -> None:
    x = draw(0, 50_000, 2, mean=1e4).astype(np.float32)
    naive = (x**2).mean(0) - x.mean(0) ** 2
    standardizer = Standardizer().fit(x)
    check(standardizer, x.astype(np.float64))
    assert (abs(naive - 1) > 0.5).any(), "the case no longer tells the two formulas apart"
    y = standardizer(torch.from_numpy(x))
    assert y.dtype == torch.float32
    np.testing.assert_allclose(y, (x - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64), atol=1e-6)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8, torch.int64]
)
def test_any_dtype_is_measured_in_float64(dtype: torch.dtype) -> None:
    x = torch.from_numpy(draw(1, 300, 2, mean=60, sd=9)).to(dtype)
    standardizer = Standardizer().fit(x)
    assert standardizer.mean.dtype == standardizer.scale.dtype == torch.float64
    check(standardizer, x.double().numpy())


def test_per_channel_of_images_in_either_memory_format() -> None:
    x = torch.from_numpy(draw(2, 6, 3, 5, 4, mean=1e4)).float()
    exact = x.double().numpy()
    for dim in (1, -3):
        for images in (x, x.contiguous(memory_format=torch.channels_last)):
            check(Standardizer(dim=dim).fit(images), exact, (0, 2, 3))
    one_by_one = Standardizer(dim=-3)
    for image in x:
        one_by_one.update(image)
    check(one_by_one, exact, (0, 2, 3))


def test_one_statistic_for_all_values() -> None:
    x = draw(3, 7, 4, mean=2)
    standardizer = Standardizer(dim=None)
    for row in x:
        standardizer.update(torch.from_numpy(row))
    check(standardizer, x, None)
    assert standardizer.mean.shape == ()
    assert Standardizer(dim=None).update(torch.tensor(3.0)).update(torch.tensor(5.0)).scale.item() == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("ratio", [0.0, 100.0, 1e4])
def test_the_core_and_torch_operations_agree(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, ratio: float) -> None:
    x = torch.from_numpy(draw(8, 3000, 7, 2, mean=ratio)).to(dtype)
    x[::11, 3, 0], x[5, 1] = torch.nan, torch.inf
    cases: tuple[tuple[torch.Tensor, Policy], ...] = ((x[12:22, :3], "raise"), (x, "omit"))
    for clean, policy in cases:
        for dim in (None, 0, 1, -1):
            found = []
            for available in (native.available(), False):
                monkeypatch.setattr(native, "available", lambda here=available: here)
                found.append(Standardizer(dim=dim, nan=policy, inf=policy, constant="unit").fit(clean))
            for name in ("count", "mean", "m2"):
                torch.testing.assert_close(*(getattr(one, name) for one in found), rtol=1e-9, atol=1e-9)


@pytest.mark.usefixtures("on_torch_operations")
def test_a_large_batch_is_measured_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "CHUNK", 64)
    x = draw(4, 500, 3, 2, mean=100)
    check(Standardizer(dim=1).fit(x), x, (0, 2))
    check(Standardizer(dim=0).fit(x.transpose(1, 0, 2).copy()), x, (0, 2))
    x[::7, 1] = np.nan
    omitting = Standardizer(dim=1, nan="omit").fit(x)
    np.testing.assert_allclose(omitting.mean, np.nanmean(x, (0, 2)), rtol=1e-13)
    np.testing.assert_allclose(omitting.variance, np.nanvar(x, (0, 2)), rtol=1e-11)


def test_layout_of_the_data_does_not_matter() -> None:
    x = draw(5, 30, 8)
    for view in (
        x[:, ::2],
        x[::-1, :4],
        np.asfortranarray(x)[:, 1:3],
        x.astype(">f8"),
        np.broadcast_to(x[:, :1], (30, 2)),
    ):
        check(Standardizer().fit(view), np.array(view, np.float64))
    frozen = x.copy()
    frozen.flags.writeable = False
    check(Standardizer().fit(frozen), x)
    check(Standardizer().fit(torch.from_numpy(x).T.contiguous().T), x)


# Constant features


@pytest.mark.parametrize("value", [0.1, 1e4 / 3, 0.0, 1e20, -1e-20])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_constant_column_becomes_zero_and_is_named(value: float, dtype: torch.dtype) -> None:
    if dtype == torch.float16 and abs(value) > 6e4:
        value = 6e4
    x = torch.from_numpy(draw(6, 1000, 3)).to(dtype)
    x[:, 1] = value
    with pytest.warns(UserWarning, match="feature 1 never varied"):
        standardizer = Standardizer().fit(x.split(7))
    assert standardizer.constant_features == [1]
    assert standardizer.scale[1].item() == 1
    assert (standardizer(x)[:, 1] == 0).all()


def test_a_column_of_tiny_numbers_is_not_constant() -> None:
    x = draw(7, 200, 2, sd=1e-30)
    standardizer = Standardizer().fit(torch.from_numpy(x).float())
    assert standardizer.constant_features == []
    np.testing.assert_allclose(standardizer.transform(x).std(0), 1, rtol=1e-6)


def test_constant_columns_can_be_refused_or_accepted_in_silence() -> None:
    x = torch.ones(5, 12)
    with pytest.raises(
        ValueError, match=r"features 0, 1, 2, .* 7, … \(12 in all\) never varied \(mean 1 in the first\)"
    ):
        Standardizer(constant="raise").fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Standardizer(constant="unit").fit(x).constant_features == list(range(12))
        assert Standardizer(dim=None, constant="unit").fit(x).constant_features == [0]


def test_a_refused_reduction_leaves_the_statistics_as_they_were() -> None:
    standardizer = Standardizer(constant="raise").update(torch.ones(5, 1))
    with pytest.raises(ValueError, match="feature 0 never varied"):
        standardizer.all_reduce()
    check(standardizer.update(torch.zeros(5, 1)).all_reduce(), np.repeat([[0.0], [1.0]], 5, 0))


# Values that are not finite


def test_nan_is_refused_with_its_place() -> None:
    x = torch.zeros(50, 4)
    x[17, 1] = x[20, 1] = x[30, 3] = torch.nan
    with pytest.raises(
        ValueError, match=r"3 values are NaN \(feature 1: 2, feature 3: 1\), the first in row 17 .*nan='omit'"
    ):
        Standardizer().update(x)
    with pytest.raises(ValueError, match=r"first in row 7 .*\[batch 1 of fit\]"):
        Standardizer().fit(x.split(10)[:1] + x.split(10)[1:])


def test_omitted_nan_counts_per_feature() -> None:
    x = draw(8, 60, 3, mean=1e4)
    x[np.random.default_rng(9).random(x.shape) < 0.4] = np.nan
    standardizer = Standardizer(nan="omit", unbiased=True)
    for part in torch.from_numpy(x).split(13):
        standardizer.update(part)
    assert standardizer.count.tolist() == (~np.isnan(x)).sum(0).tolist()
    np.testing.assert_allclose(standardizer.mean, np.nanmean(x, 0), rtol=1e-14)
    np.testing.assert_allclose(standardizer.variance, np.nanvar(x, 0, ddof=1), rtol=1e-10)
    assert np.array_equal(np.isnan(standardizer.transform(x)), np.isnan(x))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_an_error_under_either_policy_unless_told_otherwise(bad: float) -> None:
    x = draw(10, 20, 2)
    x[3, 0] = bad
    for nan in ("raise", "omit"):
        with pytest.raises(ValueError, match=r"1 value is infinite \(feature 0: 1\), the first in row 3 .*inf='omit'"):
            Standardizer(nan=nan).update(x)
    told = Standardizer(inf="omit").fit(x)
    np.testing.assert_allclose(told.mean, [np.delete(x[:, 0], 3).mean(), x[:, 1].mean()], rtol=1e-13)


def test_a_feature_without_any_value_cannot_be_fitted() -> None:
    x = torch.full((4, 2), torch.nan)
    x[:, 0] = torch.arange(4.0)
    with pytest.raises(ValueError, match="too few finite values in feature 1; expected at least 1 value"):
        Standardizer(nan="omit").fit(x)


# Fitting, freezing, errors


class Stream(IterableDataset[torch.Tensor]):
    """Rows without a length, which a loader of them does not know either."""

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(torch.arange(8.0).view(8, 1))


class Rows:
    """A loader of dictionaries without a length."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter({"pixels": torch.full((2, 1), float(value))} for value in range(3))


def test_fit_takes_what_loaders_give() -> None:
    x = draw(11, 40, 3)
    data = TensorDataset(torch.from_numpy(x), torch.arange(40))
    for loader in (DataLoader(data, 7), DataLoader(data, 7, shuffle=True), data, torch.from_numpy(x), x):
        check(Standardizer(3).fit(loader), x)
    assert Standardizer(dim=None).fit(DataLoader(data, 7), select=lambda item: item[1]).mean.item() == 19.5
    assert Standardizer().fit(Rows(), select=lambda item: item["pixels"]).mean.tolist() == [1]
    with pytest.raises(TypeError, match=r"the loader gave dict; .*select="):
        Standardizer().fit(Rows())


class Drawn(Dataset[torch.Tensor]):
    """Ten rows, and more for whoever asks: its iteration does not end."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> torch.Tensor:
        assert index < 10, "read past the end"
        return torch.tensor([float(index)])


def test_a_data_set_ends_at_its_length() -> None:
    assert Standardizer().fit(Drawn()).count.tolist() == [10]


def test_the_order_of_the_rows_matters_only_to_rounding() -> None:
    x = torch.from_numpy(draw(12, 1000, 2, mean=1e4))
    one, other = Standardizer().fit(x.split(9)), Standardizer().fit(x.flip(0).split(31))
    torch.testing.assert_close(one.mean, other.mean, rtol=1e-14, atol=0)
    torch.testing.assert_close(one.scale, other.scale, rtol=1e-10, atol=0)


def test_the_progress_bar_shows_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = list(torch.arange(8.0).view(4, 2, 1))
    Standardizer().fit(batches)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    Standardizer().fit(batches)
    out, err = capsys.readouterr()
    assert out == "" and "statistics" in err
    assert Standardizer().fit(DataLoader(Stream(), 2)).count.tolist() == [8]
    assert "statistics" in capsys.readouterr().err
    Standardizer().fit(batches, progress=False)
    assert capsys.readouterr() == ("", "")


def test_frozen_after_fit_and_other_data_are_an_explicit_act() -> None:
    x, other = torch.arange(6.0).view(3, 2), torch.arange(10.0).view(5, 2)
    standardizer = Standardizer().fit(x)
    for act in (
        lambda: standardizer.update(other),
        lambda: standardizer.merge(Standardizer().update(other)),
        lambda: standardizer.all_reduce(),
    ):
        with pytest.raises(RuntimeError, match=r"frozen.*refit\(.*unfreeze\("):
            act()
    with pytest.raises(RuntimeError, match=r"there are statistics already, of 3 values.*refit\("):
        standardizer.fit(other)
    check(standardizer, x.numpy())
    check(standardizer.refit(other), other.numpy())
    check(standardizer.unfreeze().update(x).freeze(), torch.cat([x, other]).numpy())
    with pytest.raises(RuntimeError, match="statistics already"):
        Standardizer().update(x).fit(other)


def test_a_failed_fit_or_update_leaves_the_statistics_as_they_were() -> None:
    good, bad = torch.arange(6.0).view(3, 2), torch.tensor([[1.0, torch.nan]])
    fresh = Standardizer()
    with pytest.raises(ValueError, match="NaN"):
        fresh.fit([good, bad])
    check(fresh.fit([good]), good.numpy())
    with pytest.raises(ValueError, match="NaN"):
        fresh.refit([good * 2, bad])
    check(fresh, good.numpy())
    assert bool(fresh.frozen)
    with pytest.raises(ValueError, match="NaN"):
        fresh.unfreeze().update(bad)
    check(fresh, good.numpy())


def test_errors_say_what_and_what_to_do() -> None:
    fitted = Standardizer().fit(torch.arange(6.0).view(2, 3))
    with pytest.raises(ValueError, match=r"got 5 features \(dimension -1 of shape \(2, 5\)\); expected 3"):
        fitted.transform(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"update: got 5 features .* expected 3"):
        Standardizer(3).update(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"got 5 features .*expected 4.*batch 1 of fit"):
        Standardizer().fit([torch.zeros(2, 4), torch.zeros(2, 5)])
    with pytest.raises(ValueError, match="got 2 features; expected 3"):
        Standardizer(3).merge(Standardizer().update(torch.zeros(1, 2)))
    with pytest.raises(ValueError, match="expected the same kind, dim=-1"):
        Standardizer(3).merge(Standardizer(dim=None))
    with pytest.raises(ValueError, match=r"shape \(4,\); expected features in dimension 1"):
        Standardizer(dim=1).update(torch.zeros(4))
    for numbers in (torch.arange(8.0), np.arange(8.0), DataLoader(TensorDataset(torch.arange(8.0)), 4)):
        with pytest.raises(ValueError, match=r"got shape \(\d,\), one number a row; .*dim=None"):
            Standardizer().fit(numbers)
    with pytest.raises(ValueError, match="got 0 features"):
        Standardizer().update(torch.zeros(4, 0))
    with pytest.raises(RuntimeError, match=r"transform: no data seen; .*fit"):
        Standardizer(3).transform(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="no data seen"):
        Standardizer().fit([])
    with pytest.raises(ValueError, match="no data seen"):
        Standardizer().fit(torch.empty(0, 3))
    with pytest.raises(ValueError, match="at least 2 values, as the unbiased variance needs"):
        Standardizer(unbiased=True).fit(torch.zeros(1, 3))
    with pytest.raises(TypeError, match=r"complex64; expected real values"):
        Standardizer().update(torch.zeros(2, 2, dtype=torch.complex64))
    with pytest.raises(TypeError, match=r"layout torch.sparse_coo; expected a dense one"):
        Standardizer().update(torch.eye(3).to_sparse())
    with pytest.raises(TypeError, match="expected real numbers"):
        Standardizer().update(np.array([["a"]], dtype=object))
    with pytest.raises(TypeError, match="got str; expected a tensor"):
        Standardizer().update("text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="squares overflow float64"):
        Standardizer().update(torch.tensor([[1e200], [-1e200]], dtype=torch.float64))


@pytest.mark.parametrize(
    "options", [{"nan": "skip"}, {"inf": "x"}, {"constant": "zero"}, {"features": 0}, {"features": 2, "dim": None}]
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Standardizer(**options)


def test_empty_batches_add_nothing() -> None:
    x = torch.arange(6.0).view(3, 2)
    check(Standardizer().fit([torch.empty(0, 2), x, torch.empty(0, 2)]), x.numpy())


def test_what_it_prints() -> None:
    assert repr(Standardizer()) == "Standardizer(any features, dim=-1, 0 values each)"
    fitted = Standardizer().fit(torch.arange(3000.0).view(-1, 2))
    assert repr(fitted) == "Standardizer(2 features, dim=-1, 1,500 values each, frozen)"
