"""Which tensors the table takes: memory in one order, where it says that it is; the rest is never read flat."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trimtab.kernels.triton.plan import Plan, Values
from trimtab.kernels.triton.step import Signals, StepTable


def takes(params: list[Any], grads: list[Tensor], **memory: list[Tensor]) -> bool:
    given: dict[Any, list[Tensor]] = {**memory}
    return StepTable().take(params, grads, given)


def stepped(table: StepTable, params: list[Any], grads: list[Tensor]) -> None:
    """`w ← w − g`."""
    device = params[0].device
    assert table.take(params, grads, {})
    norms, skipped = (torch.zeros(1, dtype=dtype, device=device) for dtype in (torch.float64, torch.int64))
    table.step(Plan(), Values(1.0), Signals(norms, skipped))


class TestOrderOfMemory:
    def test_dense_and_alike(self, device: torch.device) -> None:
        x = torch.randn(4, 3, 5, 2, device=device).contiguous(memory_format=torch.channels_last)
        g = torch.randn(4, 3, 5, 2, device=device).contiguous(memory_format=torch.channels_last)
        before = x.clone()
        stepped(StepTable(), [x], [g])
        torch.testing.assert_close(x, before - g)

    @pytest.mark.parametrize(
        ("x", "g"),
        [
            (torch.randn(4, 6), torch.randn(6, 4).t()),
            (torch.randn(6, 4).t(), torch.randn(4, 6)),
            (torch.randn(4, 12)[:, ::2], torch.randn(4, 12)[:, ::2]),
            (torch.randn(4, 8)[:, :6], torch.randn(4, 8)[:, :6]),
            (torch.randn(4, 6), torch.randn(1, 6).expand(4, 6)),
        ],
        ids=["transposed gradient", "transposed weight", "every second", "with gaps", "expanded"],
    )
    def test_anything_else_is_refused(self, device: torch.device, x: Tensor, g: Tensor) -> None:
        x, g = (torch.empty_strided(t.shape, t.stride(), device=device) for t in (x, g))
        assert not takes([x], [g])

    def test_memory_in_another_order(self, device: torch.device) -> None:
        x = torch.randn(4, 6, device=device)
        assert takes([x], [x.clone()], velocity=[torch.zeros(4, 6, device=device)])
        assert not takes([x], [x.clone()], velocity=[torch.zeros(6, 4, device=device).t()])


class TestFormats:
    @pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.float8_e4m3fn])
    def test_others_are_refused(self, device: torch.device, dtype: torch.dtype) -> None:
        x = torch.zeros(4, device=device).to(dtype)
        assert not takes([x], [x.clone()])

    def test_a_mixture_is_refused(self, device: torch.device) -> None:
        x, y = torch.zeros(4, device=device), torch.zeros(4, device=device, dtype=torch.bfloat16)
        assert not takes([x, y], [x.clone(), y.clone()]) and not takes([x], [y])

    def test_counters_are_numbers(self, device: torch.device) -> None:
        x = torch.zeros(4, device=device)
        assert takes([x], [x.clone()], step=[torch.zeros((), device=device)])
        assert not takes([x], [x.clone()], step=[torch.zeros(2, device=device)])
        assert not takes([x], [x.clone()], step=[torch.zeros((), device=device, dtype=torch.int32)])

    def test_no_tensors(self) -> None:
        assert not takes([], [])

    def test_fewer_gradients(self, device: torch.device) -> None:
        assert not takes([torch.zeros(2, device=device)] * 2, [torch.zeros(2, device=device)])


class TestChanges:
    """Between steps anything may be put elsewhere: it is seen."""

    def test_new_gradients(self, device: torch.device) -> None:
        table, x = StepTable(), torch.zeros(5, device=device)
        kept = []
        for value in (1.0, 2.0, 3.0):
            kept.append(torch.full((5,), value, device=device))
            stepped(table, [x], kept[-1:])
        assert x.tolist() == [-6.0] * 5

    def test_a_parameter_moved_resized_and_replaced(self, device: torch.device) -> None:
        table, x = StepTable(), nn.Parameter(torch.zeros(5, device=device))
        stepped(table, [x], [torch.ones(5, device=device)])
        x.data = torch.zeros(5, device=device)
        stepped(table, [x], [torch.ones(5, device=device)])
        assert x.tolist() == [-1.0] * 5
        x.data = torch.zeros(3, 2000, device=device)
        stepped(table, [x], [torch.ones(3, 2000, device=device)])
        assert x.eq(-1).all()
        y = torch.zeros(2, device=device)
        stepped(table, [y, x], [torch.ones(2, device=device), torch.ones(3, 2000, device=device)])
        assert x.eq(-2).all() and y.eq(-1).all()

    def test_gradients_are_let_go_of(self, device: torch.device) -> None:
        table, x, g = StepTable(), torch.zeros(5, device=device), torch.ones(5, device=device)
        stepped(table, [x], [g])
        gone = weakref.ref(g)
        del g
        gc.collect()
        assert gone() is None
