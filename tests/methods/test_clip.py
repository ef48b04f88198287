"""The textbook's clipping against the formula computed anew in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trimtab.methods import clip

VECTORS = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e20, 1e20, allow_subnormal=False))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(x=VECTORS, bound=st.floats(1e-6, 1e6))
def test_by_norm(x, bound):
    norm = np.sqrt((x * x).sum())
    clipped = clip.by_norm(torch.from_numpy(x), bound).numpy()
    if norm > bound:
        np.testing.assert_allclose(clipped, bound * x / norm, rtol=1e-12)
    else:
        assert clipped.tobytes() == x.tobytes()


@settings(derandomize=True, deadline=None, max_examples=50)
@given(x=VECTORS, bound=st.floats(1e-6, 1e6))
def test_by_value(x, bound):
    np.testing.assert_array_equal(
        clip.by_value(torch.from_numpy(x), bound).numpy(), np.minimum(np.maximum(x, -bound), bound)
    )


def test_the_global_norm_is_that_of_all_as_one():
    parts = [torch.tensor([3.0]), torch.tensor([[4.0, 12.0]])]
    assert clip.global_norm(parts) == 13
    half = clip.by_global_norm(parts, 6.5)
    assert half[0].item() == 1.5
    assert half[1].tolist() == [[2.0, 6.0]]
