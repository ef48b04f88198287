from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from trimtab.kernels.triton.chunks import CHUNK
from trimtab.kernels.triton.step import StepTable


def measured(device: torch.device, grads: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Of each, and of all together."""
    grads = [g.to(device) for g in grads]
    table, whole = StepTable(), torch.zeros((), dtype=torch.float64, device=device)
    assert table.take([torch.zeros_like(g) for g in grads], grads, {})
    return table.measure(whole).cpu().clone(), whole.cpu()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_against_float64(device: torch.device, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    grads = [torch.randn(n).to(dtype) for n in (1, 0, 5, 1024, CHUNK + 3)] + [torch.randn(2).to(dtype)] * 40
    each, whole = measured(device, grads)
    told = [np.linalg.norm(g.double().numpy()) for g in grads]
    torch.testing.assert_close(each, torch.tensor(told), rtol=1e-14, atol=0)
    torch.testing.assert_close(whole, torch.tensor(np.linalg.norm(told)), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        *((torch.float64, size) for size in (1e300, 1e-300, 1e160, 1e-160, 1.0)),
        *((torch.float32, size) for size in (1e38, 1e-38, 1e-44)),
        (torch.bfloat16, 1e38),
    ],
)
def test_neither_overflows_nor_underflows(device: torch.device, dtype: torch.dtype, size: float) -> None:
    grads = [torch.full((300,), size, dtype=torch.float64).to(dtype), torch.zeros(2, dtype=dtype)]
    each, whole = measured(device, grads)
    expected = grads[0][0].double() * 300**0.5
    torch.testing.assert_close(each, torch.stack([expected, torch.zeros_like(expected)]), rtol=1e-14, atol=0)
    torch.testing.assert_close(whole, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_what_is_not_finite_shows(device: torch.device, dtype: torch.dtype) -> None:
    grads = [torch.ones(40, dtype=dtype) for _ in range(4)]
    grads[1][3], grads[2][39] = torch.inf, torch.nan
    each, whole = measured(device, grads)
    assert each.isfinite().tolist() == [True, False, False, True] and not whole.isfinite()


def test_the_same_each_time(device: torch.device) -> None:
    grads = [torch.randn(3 * CHUNK + 7), torch.randn(100)]
    first, again = measured(device, grads), measured(device, [*map(Tensor.clone, grads)])
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
