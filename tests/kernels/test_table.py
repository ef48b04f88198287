from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from trimtab.kernels.step import StepOptions, StepTable

LAYOUTS = {
    "contiguous": lambda: torch.randn(4, 6, 5, 3),
    "channels last": lambda: torch.randn(4, 6, 5, 3).to(memory_format=torch.channels_last),
    "permuted": lambda: torch.randn(3, 4, 5, 6).permute(1, 3, 2, 0),
}


def takes(*row: Tensor) -> bool:
    w, g, *v = row
    return StepTable().take([w], [g], {"velocity": v} if v else {})


class TestOrderOfMemory:
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_equal_strides_are_stepped_in_memory_order(self, layout: str) -> None:
        w, g, v = (LAYOUTS[layout]() for _ in range(3))
        expected = w - (v / 2 + g / 2)
        table = StepTable()
        assert table.take([w], [g], {"velocity": [v]})
        table.step(StepOptions(1.0, beta1=0.5))
        torch.testing.assert_close(w, expected)

    @pytest.mark.parametrize("one", LAYOUTS)
    @pytest.mark.parametrize("other", LAYOUTS)
    def test_different_strides_are_not_taken(self, one: str, other: str) -> None:
        assert takes(LAYOUTS[one](), LAYOUTS[other]()) == (one == other)

    def test_every_column_is_looked_at(self) -> None:
        last = LAYOUTS["channels last"]
        flat = LAYOUTS["contiguous"]
        assert StepTable().take([flat(), last()], [flat(), last()], {})
        assert not StepTable().take([flat(), last()], [flat(), flat()], {})

    def test_gaps_and_overlaps_are_not_taken(self) -> None:
        gaps, spread = torch.randn(4, 8)[:, :4], torch.randn(1, 4).expand(3, 4)
        assert not takes(gaps, torch.randn(4, 8)[:, :4])
        assert not takes(spread, torch.randn(1, 4).expand(3, 4))

    def test_strides_of_single_places_do_not_matter(self) -> None:
        assert takes(torch.randn(4, 1, 3), torch.randn(4, 3, 1).transpose(1, 2))


class TestWhatIsNotTaken:
    def test_another_dtype(self) -> None:
        assert not takes(torch.randn(3), torch.randn(3).double())
        assert not takes(torch.randn(3).bfloat16(), torch.randn(3).bfloat16(), torch.randn(3).bfloat16())
        assert not takes(torch.randn(3, dtype=torch.complex64), torch.randn(3, dtype=torch.complex64))

    def test_another_shape(self) -> None:
        assert not takes(torch.randn(3), torch.randn(4))
        assert not takes(torch.randn(2, 3), torch.randn(2, 3), torch.randn(6, 2))
        assert not takes(torch.randn(2, 3), torch.randn(2, 3), torch.randn(3, 2))

    def test_an_unknown_name(self) -> None:
        memory: Any = {"exp_avg": [torch.zeros(3)]}
        with pytest.raises(ValueError, match=r"no memory named \['exp_avg'\]"):
            StepTable().take([torch.randn(3)], [torch.randn(3)], memory)

    def test_another_number_of_tensors(self) -> None:
        assert not StepTable().take([torch.randn(3)], [], {})
        assert not StepTable().take([torch.randn(3)], [torch.randn(3)], {"velocity": []})

    def test_memory_that_is_not_there_or_means_something_else(self) -> None:
        class Marked(Tensor): ...

        assert not takes(torch.randn(3), torch.randn(3, device="meta"))
        assert not takes(torch.randn(3), torch.randn(3).to_sparse())
        assert not takes(torch.randn(3), torch.randn(3).as_subclass(Marked))
        assert not takes(torch.randn(3), torch.randn(3, dtype=torch.complex64).conj().imag)

    def test_counters_of_more_than_a_number(self) -> None:
        x = [torch.randn(3)]
        assert not StepTable().take(x, [torch.randn(3)], {"step": [torch.zeros(2)]})
        assert not StepTable().take(x, [torch.randn(3)], {"step": [torch.zeros((), dtype=torch.int64)]})
        assert not StepTable().take(x, [torch.randn(3)], {"average_step": [torch.zeros(())]})


class TestChangesBetweenSteps:
    """A table is asked before each step, and sees what has happened to its tensors."""

    def step(self, table: StepTable, w: Tensor, g: Tensor) -> bool:
        expected = w - g
        taken = table.take([w], [g], {})
        if taken:
            table.step(StepOptions(1.0))
            torch.testing.assert_close(w, expected)
        return taken

    def test_new_gradients(self) -> None:
        table, w = StepTable(), torch.randn(5)
        assert all(self.step(table, w, torch.randn(5)) for _ in range(3))

    def test_new_memory_of_a_parameter(self) -> None:
        table, w, g = StepTable(), torch.nn.Parameter(torch.randn(5), requires_grad=False), torch.randn(5)
        assert self.step(table, w, g)
        w.data = torch.randn(5)
        assert self.step(table, w, g)

    def test_new_memory_of_what_is_remembered(self) -> None:
        table, w, g, v = StepTable(), torch.zeros(5), torch.ones(5), torch.zeros(5)
        for start in (0.0, 8.0):
            v.data = torch.full((5,), start)
            before = w.clone()
            assert table.take([w], [g], {"velocity": [v]})
            table.step(StepOptions(1.0, beta1=0.5))
            torch.testing.assert_close(before - w, torch.full((5,), start / 2 + 0.5))

    @pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
    def test_transposed_where_it_is(self, shape: tuple[int, int]) -> None:
        table, w = StepTable(), torch.nn.Parameter(torch.randn(shape), requires_grad=False)
        assert self.step(table, w, torch.randn(shape))
        w.data = w.data.t()
        assert not table.take([w], [torch.randn(w.shape)], {})
        assert self.step(table, w, torch.randn(shape).t())

    def test_other_counters(self) -> None:
        table, w, g = StepTable(), torch.zeros(5), torch.ones(5)
        first, second = torch.zeros((), dtype=torch.int64), torch.full((), 4)
        for counter, observations in ((first, 0), (first, 1), (second, 4), (first, 2)):
            assert table.take([w], [g], {"average_step": [counter]})
            assert table.observations() == [observations]
            table.step(StepOptions(1.0))
        assert (first.item(), second.item()) == (3, 5)

    def test_another_format(self) -> None:
        table, w, g = StepTable(), torch.nn.Parameter(torch.randn(5), requires_grad=False), torch.randn(5)
        assert self.step(table, w, g)
        w.data = w.data.double()
        assert not self.step(table, w, g)
        assert self.step(table, w, g.double())

    def test_resized(self) -> None:
        table, w, g = StepTable(), torch.randn(6), torch.randn(6)
        assert self.step(table, w, g)
        w.resize_(4)
        assert not table.take([w], [g], {})
        assert self.step(table, w, g[:4])

    def test_freed(self) -> None:
        table, w, g = StepTable(), torch.randn(6), torch.randn(6)
        assert self.step(table, w, g)
        w.untyped_storage().resize_(0)
        assert not table.take([w], [g], {})

    def test_a_tensor_more(self) -> None:
        table, a, b, g = StepTable(), torch.randn(3), torch.randn(4), torch.randn(4)
        assert table.take([a], [g[:3]], {}) and table.take([a, b], [g[:3], g], {})
        before = b.clone()
        table.step(StepOptions(1.0))
        torch.testing.assert_close(b, before - g)

    def test_after_a_refusal(self) -> None:
        table, w, g = StepTable(), torch.randn(5), torch.randn(5)
        assert self.step(table, w, g)
        assert not table.take([w], [g.double()], {})
        with pytest.raises(RuntimeError, match="take"):
            table.step(StepOptions(1.0))
        assert self.step(table, w, g)
