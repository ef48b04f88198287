from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trimtab.kernels.step import StepTable

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def norms(grads: list[Tensor]) -> Tensor:
    table = StepTable()
    assert table.take([torch.zeros_like(g) for g in grads], grads, {})
    return table.norms()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 100) | st.sampled_from([16384, 40000]), min_size=1, max_size=6),
    st.sampled_from(DTYPES),
    st.integers(-20, 20),
    st.integers(0, 9),
)
def test_is_the_length_at_any_scale(sizes: list[int], dtype: torch.dtype, power: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    scale = 10.0**power if dtype != torch.float16 else 1.0
    grads = [(torch.randn(n, generator=draw) * scale).to(dtype) for n in sizes]
    expected = [math.sqrt(math.fsum(x * x for x in g.tolist())) for g in grads]
    torch.testing.assert_close(norms(grads).tolist(), expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("power", [-320, -308, -160, -141, 0, 150, 160, 307])
def test_float64_neither_overflows_nor_underflows(power: int) -> None:
    x = torch.tensor([3.0, 4.0], dtype=torch.float64) * 10.0**power
    rounding = 1e-3 if power < -308 else 1e-12  # of x itself, below the normal numbers
    assert norms([x, torch.ones(1, dtype=torch.float64)]).tolist() == pytest.approx(
        [5 * 10.0**power, 1.0], rel=rounding
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_only_the_tensor_with_inf_or_nan_has_no_finite_length(dtype: torch.dtype, bad: float) -> None:
    grads = [torch.ones(20000, dtype=dtype) for _ in range(3)]
    grads[1][19999] = bad
    assert norms(grads).isfinite().tolist() == [True, False, True]


def test_the_largest_and_smallest_of_each_format() -> None:
    for dtype in DTYPES[1:]:
        limits = torch.finfo(dtype)
        for x in (limits.max, limits.smallest_normal, limits.eps * limits.smallest_normal):
            assert norms([torch.tensor([x], dtype=dtype)]).item() == x


def test_of_nothing_is_zero() -> None:
    assert norms([torch.ones(0), torch.ones(2, 0)]).tolist() == [0.0, 0.0]
