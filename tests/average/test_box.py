"""The mean of the last n, against slices of the series."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.average import BoxAverage

quick = settings(max_examples=25, deadline=None, derandomize=True)


@quick
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.integers(1, 12), st.sampled_from([1e-20, 1.0, 1e20]))
def test_mean_of_the_last_n(values, n, scale):
    o = np.array(values) * scale
    box, arrays = BoxAverage(n), BoxAverage(n)
    for t in range(1, len(o) + 1):
        expected = o[max(0, t - n) : t].mean()
        assert box.update(float(o[t - 1])) == pytest.approx(expected, rel=1e-12, abs=1e-15 * scale)
        assert arrays.update(o[t - 1 : t])[0] == pytest.approx(expected, rel=1e-12, abs=1e-15 * scale)


def test_no_drift_over_a_hundred_thousand_updates():
    box = BoxAverage(10)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], 100_000)
    for sign in signs:
        box.update(1e8 + sign)
    assert box.value == math.fsum(1e8 + signs[-10:]) / 10


def test_a_nan_leaves_the_window():
    box = BoxAverage(2)
    assert [math.isnan(box.update(o)) for o in (math.nan, 1.0, 3.0)] == [True, True, False]
    assert box.value == 2.0


def test_infinities_are_plain_arithmetic():
    box = BoxAverage(2)
    box.update(math.inf)
    assert math.isnan(box.update(-math.inf))


def test_numbers_near_the_largest():
    box = BoxAverage(2)
    box.update(1e308)
    assert box.update(1e308) in (1e308, math.inf)


def test_the_count_goes_on_when_the_window_is_full():
    box = BoxAverage(2)
    for i in range(5):
        box.update(torch.tensor([float(i)]))
    assert box.count == 5 and box.value.item() == 3.5


def test_a_shorter_window_takes_the_newest_of_a_checkpoint():
    long, short = BoxAverage(4), BoxAverage(2)
    for i in range(4):
        long.update(float(i))
    short.load_state_dict(long.state_dict())
    assert short.value == 2.5


@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_a_window_needs_a_length(n):
    with pytest.raises(ValueError, match="at least 1"):
        BoxAverage(n)


def test_n_may_be_a_number_of_numpy():
    box = BoxAverage(np.int64(2))  # pyright: ignore[reportArgumentType]
    assert [box.update(o) for o in (1.0, 3.0, 8.0)] == [1.0, 2.0, 5.5]
