"""One-pass moments against NumPy's two passes in float64."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.methods.moments import Moments

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)


def sample(seed: int, shape: tuple[int, ...], mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return mean + sd * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("dims", [None, 0, 1, -1, (0, 2), (0, 2, 3), (1, 2, 3), ()])
@pytest.mark.parametrize("unbiased", [False, True])
def test_equals_numpy_over_any_dimensions(dims: int | tuple[int, ...] | None, unbiased: bool) -> None:
    x = sample(0, (5, 3, 4, 2))
    moments = Moments.of(torch.from_numpy(x), dims)
    np.testing.assert_allclose(moments.mean, x.mean(dims), rtol=1e-14, atol=1e-15)
    if dims == () and unbiased:
        assert moments.variance(unbiased).isnan().all()
    else:
        np.testing.assert_allclose(moments.variance(unbiased), x.var(dims, ddof=int(unbiased)), rtol=1e-13)
    assert moments.count.shape == moments.mean.shape == moments.m2.shape
    assert moments.count.unique().item() == x.size / moments.mean.numel()


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.bool]
)
def test_any_dtype_is_computed_in_float64(dtype: torch.dtype) -> None:
    x = torch.from_numpy(sample(1, (100, 3), 2, 5)).to(dtype)
    moments = Moments.of(x, 0)
    assert moments.count.dtype == moments.mean.dtype == moments.m2.dtype == torch.float64
    exact = x.double().numpy()
    np.testing.assert_allclose(moments.mean, exact.mean(0), rtol=1e-13)
    np.testing.assert_allclose(moments.variance(), exact.var(0), rtol=1e-13)


@pytest.mark.parametrize(("ratio", "dtype"), [(1e4, torch.float32), (1e4, torch.float64), (1e8, torch.float64)])
def test_right_where_the_mean_is_far_larger_than_the_deviation(ratio: float, dtype: torch.dtype) -> None:
    x = torch.from_numpy(sample(2, (10_000,), ratio)).to(dtype)
    exact = x.numpy().astype(np.longdouble)
    naive = (x.square().mean() - x.mean().square()).item()
    assert Moments.of(x).variance().item() == pytest.approx(float(exact.var()), rel=1e-9)
    assert ratio < 1e8 or abs(naive - 1) > 0.1, "the case no longer tells the two formulas apart"


@pytest.mark.parametrize("value", [0.1, 1e4 + 1 / 3, -1e-30, 1e20, 0.0])
def test_a_constant_has_no_variance_at_all(value: float) -> None:
    parts = [Moments.of(torch.full((rows, 2), value, dtype=torch.float32), 0) for rows in (1, 7, 1000, 99_999)]
    whole = reduce(Moments.merge, parts)
    assert whole.m2.tolist() == [0.0, 0.0]


@EXAMPLES
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 200),
    cuts=st.lists(st.integers(0, 200), max_size=6),
    ratio=st.floats(-1e4, 1e4),
    scale=st.sampled_from([1e-20, 1e-3, 1.0, 1e3, 1e20]),
)
def test_any_partition_merges_to_the_whole(seed: int, rows: int, cuts: list[int], ratio: float, scale: float) -> None:
    x = sample(seed, (rows, 3), ratio * scale, scale)
    edges = [0, *sorted(min(cut, rows) for cut in cuts), rows]
    parts = [Moments.of(torch.from_numpy(x[low:high]), 0) for low, high in pairwise(edges)]  # some of them empty
    for order in (parts, parts[::-1]):
        whole = reduce(Moments.merge, order)
        assert whole.count.tolist() == [rows] * 3
        np.testing.assert_allclose(whole.mean, x.mean(0), rtol=1e-12, atol=1e-12 * scale)
        np.testing.assert_allclose(whole.variance(), x.var(0), rtol=1e-9, atol=1e-20 * scale**2)


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(*[st.integers(0, 9)] * 3))
def test_merging_is_associative_and_commutative_to_rounding(seed: int, counts: tuple[int, int, int]) -> None:
    a, b, c = (Moments.of(torch.from_numpy(sample(seed, (n, 2), 100)), 0) for n in counts)
    for other in (a.merge(b.merge(c)), c.merge(b).merge(a)):
        left = a.merge(b).merge(c)
        torch.testing.assert_close(left.mean, other.mean, rtol=1e-14, atol=0)
        torch.testing.assert_close(left.m2, other.m2, rtol=1e-10, atol=1e-20)


def test_nothing_is_the_neutral_element() -> None:
    some = Moments.of(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), 0)
    nothing = Moments.of(torch.empty(0, 2), 0)
    assert nothing.variance().isnan().all() and nothing.variance(unbiased=True).isnan().all()
    for both in (some.merge(nothing), nothing.merge(some)):
        assert [both.count.tolist(), both.mean.tolist(), both.m2.tolist()] == [[2, 2], [2, 5], [2, 0]]
    assert nothing.merge(nothing).mean.tolist() == [0, 0]


def test_values_left_out_do_not_count_even_when_they_are_nan() -> None:
    x = sample(3, (50, 4), 10)
    keep = np.random.default_rng(4).random(x.shape) < 0.7
    keep[:, 3] = False
    moments = Moments.of(torch.from_numpy(np.where(keep, x, np.nan)), 0, torch.from_numpy(keep))
    assert moments.count.tolist() == keep.sum(0).tolist()
    assert [moments.mean[3].item(), moments.m2[3].item()] == [0, 0]
    for column in range(3):
        chosen = x[keep[:, column], column]
        assert moments.mean[column].item() == pytest.approx(chosen.mean(), rel=1e-14)
        assert moments.variance()[column].item() == pytest.approx(chosen.var(), rel=1e-12)


def test_the_memory_layout_does_not_matter() -> None:
    x = torch.from_numpy(sample(5, (4, 3, 6, 5), 1e4))
    plain = Moments.of(x, (0, 2, 3))
    for view in (x.contiguous(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)):
        other = Moments.of(view, (0, 2, 3))
        torch.testing.assert_close(other.mean, plain.mean, rtol=1e-15, atol=0)
        torch.testing.assert_close(other.m2, plain.m2, rtol=1e-12, atol=0)


def test_a_value_without_dimensions() -> None:
    moments = Moments.of(torch.tensor(3.5))
    assert (moments.count.item(), moments.mean.item(), moments.m2.item()) == (1, 3.5, 0)
