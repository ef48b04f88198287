"""Traces made by hand for tests and examples."""

import numpy as np
import pytest

from trimtab.core.signal import GRAD_RMS, LOSS
from trimtab.core.synthetic import synthetic_trace


def test_plain_arrays_become_series_over_named_sites() -> None:
    trace = synthetic_trace({"loss": ["a.py:1"]}, {LOSS: [3.0, 2.0, 1.0]})
    assert trace[LOSS].shape == (3, 1) and list(trace.at(LOSS)) == [0, 1, 2] and trace.steps == 3
    assert trace[GRAD_RMS].shape == (0, 0) and trace.at(GRAD_RMS).size == 0


def test_steps_may_be_given() -> None:
    trace = synthetic_trace({"loss": ["a.py:1"]}, {LOSS: (np.array([0, 5]), np.array([1.0, 2.0]))})
    assert list(trace.at(LOSS)) == [0, 5] and trace.steps == 6


def test_columns_must_fit_the_sites() -> None:
    with pytest.raises(ValueError, match="2 columns for 1 sites"):
        synthetic_trace({"loss": ["a.py:1"]}, {LOSS: [[1.0, 2.0]]})
