"""float16 and bfloat16 as the kernels read and write them: seen through a step, w ← w − lr g."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trimtab.kernels.step import StepOptions, StepTable


def every(dtype: torch.dtype) -> Tensor:
    return torch.arange(-(2**15), 2**15).to(torch.int16).view(dtype)


def stepped(w: Tensor, g: Tensor, lr: float) -> Tensor:
    table, w = StepTable(), w.clone()
    assert table.take([w], [g], {})
    table.step(StepOptions(lr))
    return w


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
class TestShortFormats:
    def test_every_number_is_read_and_written(self, dtype: torch.dtype) -> None:
        x = every(dtype)
        torch.testing.assert_close(stepped(x, torch.zeros_like(x), 0.0), x, rtol=0, atol=0, equal_nan=True)

    @pytest.mark.parametrize("lr", [0.5, 0.25, 0.75, 1.0009765625, 1 + 2**-9, 3.0, 1e-3, 1e4])
    def test_every_product_is_rounded_to_nearest_even(self, dtype: torch.dtype, lr: float) -> None:
        x = every(dtype)
        expected = (torch.zeros(()) - x.float() * torch.tensor(lr)).to(dtype)
        actual = stepped(torch.zeros_like(x), x, lr)
        torch.testing.assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)
