"""The tensors of a call as a table of addresses, which is read anew at each call and checked where it has changed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter, is_

import torch
from torch import Tensor

CPU = torch.device("cpu")
PASSING = 1  # the row of the gradients


class Table:
    """Rows of tensors, a column for each parameter: its value, its gradient, and what is remembered of it.

    A kernel goes over each tensor of a column as one stretch of memory, all in the same order: they must be dense, with
    equal strides.
    """

    def __init__(self, device: torch.device = CPU) -> None:
        self._device = device
        self._rows: list[_Row | None] = []
        self._places = array("q")
        self._ends = array("q")

    def take(self, rows: Sequence[Sequence[Tensor]], dtypes: Sequence[torch.dtype], counters: int = 0) -> bool:
        """Whether a kernel can go over these tensors; if so, the table is now of them.

        There are as many `rows` as `dtypes`, with equal numbers of tensors; the tensors of the last `counters` rows are
        numbers. To be called before each use: a tensor that is not the object that it was the last time, or was moved
        or resized, is looked at anew. Those of row PASSING always are, and are not held: whoever lets go of a gradient
        wants its memory back.
        """
        known = self._rows if len(self._rows) == len(rows) else [None] * len(rows)
        self._rows = []
        try:
            seen = [_seen(self._device, *each) for each in zip(rows, dtypes, known, strict=True)]
        except RuntimeError:  # of a tensor that has no memory of its own
            return False
        fresh = [row for row in seen if row is not None]
        if len(fresh) < len(seen) or len({len(row.tensors) for row in fresh}) != 1:
            return False
        if any(new is not old for new, old in zip(fresh, known, strict=True)) and not self._set(fresh, counters):
            return False
        self._rows = [None if i == PASSING else row for i, row in enumerate(fresh)]
        return True

    @property
    def tensors(self) -> int:
        """How many columns there are."""
        return len(self._ends)

    @property
    def elements(self) -> int:
        """How many elements each of the rows has, counters aside."""
        return self._ends[-1] if self._ends else 0

    def arguments(self) -> tuple[int, int, int]:
        """The number of tensors, and where their ends and addresses are, as the core's functions take them.

        Raises RuntimeError where the last `take` did not take the tensors: they may be gone.
        """
        if not self._rows:
            raise RuntimeError("this table has no tensors: use it only where take() said that it took them")
        return self.tensors, self._ends.buffer_info()[0], self._places.buffer_info()[0]

    @property
    def ends(self) -> array[int]:
        """Where each column ends, counted in elements over all columns."""
        return self._ends

    @property
    def places(self) -> array[int]:
        """The addresses of the tensors, row after row."""
        return self._places

    def _set(self, rows: Sequence[_Row], counters: int) -> bool:
        cut = len(rows) - counters
        if not _in_one_order(rows[:cut]) or any({*row.sizes} - {1} for row in rows[cut:]):
            return False
        self._places = array("q", b"".join(row.places for row in rows))
        self._ends = array("q", accumulate(rows[0].sizes))
        return True


@dataclass(frozen=True, eq=False)
class _Row:
    dtype: torch.dtype
    tensors: list[Tensor]
    places: array[int]
    sizes: list[int]
    contiguous: bool


def _seen(device: torch.device, tensors: Sequence[Tensor], dtype: torch.dtype, known: _Row | None) -> _Row | None:
    """The row as it was known, where nothing has changed; None where it is not memory there in that format."""
    places, sizes = array("q", map(Tensor.data_ptr, tensors)), list(map(Tensor.numel, tensors))
    # equal sizes: equally many tensors
    same = known is not None and (dtype, places, sizes) == (known.dtype, known.places, known.sizes)
    if known is not None and same and all(map(is_, tensors, known.tensors)):
        return known
    if any(size and not place for place, size in zip(places, sizes, strict=True)):  # freed behind the tensor's back
        return None
    # A subclass may mean something else by its memory, and a lazy negation does.
    if {*map(type, tensors)} - {Tensor, torch.nn.Parameter} or any(map(Tensor.is_neg, tensors)):
        return None
    for name, expected in (("dtype", dtype), ("layout", torch.strided), ("device", device)):
        if {*map(attrgetter(name), tensors)} - {expected}:
            return None
    return _Row(dtype, list(tensors), places, sizes, all(map(Tensor.is_contiguous, tensors)))


def _in_one_order(rows: Sequence[_Row]) -> bool:
    """In each column equal shapes in equal order of memory, without gaps."""
    if any(row.sizes != rows[0].sizes for row in rows):
        return False
    if all(row.contiguous for row in rows):
        return True
    return all(map(_column_in_one_order, *(row.tensors for row in rows)))


def _column_in_one_order(*column: Tensor) -> bool:
    if all(map(Tensor.is_contiguous, column)):
        return True
    shape, strides = column[0].shape, column[0].stride()
    return all((x.shape, x.stride()) == (shape, strides) for x in column) and _dense(shape, strides)


def _dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Each place from the first element's to the last's is of one element."""
    reach = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size != 1 and stride != reach:
            return False
        reach *= size
    return True
