"""The tensors of a call as a table of addresses, which is read anew at each call and checked where it has changed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import attrgetter, is_
from typing import NamedTuple

import torch
from torch import Tensor

CPU = torch.device("cpu")
OWN, PASSING = 0, 1  # the rows of the parameters and of their gradients


class Table:
    """Rows of tensors, a column for each parameter: its value, its gradient, and what is remembered of them.

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
        wants its memory back. Counters that are the same objects are looked at where anything else is new, and their
        memory is held until then: to look at 10,000 numbers takes as long as to step them.
        """
        known = self._rows if len(self._rows) == len(rows) else [None] * len(rows)
        self._rows = []
        fresh: list[_Row] = []
        for i, (tensors, dtype, old) in enumerate(zip(rows, dtypes, known, strict=True)):
            counts = i >= len(rows) - counters
            if counts and old is not None and old.is_of(tensors, dtype) and _lasting(fresh, known):
                row = old
            else:
                row = _seen(self._device, i, tensors, dtype, old, held=counts)
            if row is None or len(row.tensors) != len(rows[OWN]):
                return False
            fresh.append(row)
        if not (_lasting(fresh, known) and self._pass(fresh)) and not self._set(fresh, counters):
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

    def row(self, i: int) -> int:
        """Where the addresses of row `i` are."""
        tensors, _, places = self.arguments()
        return places + 8 * tensors * i

    def _pass(self, rows: Sequence[_Row]) -> bool:
        """Takes new gradients into the table as it is, where that is all that is new."""
        if len(rows) <= PASSING:
            return True
        own, passing = rows[OWN], rows[PASSING]
        if not (own.contiguous and passing.contiguous and own.sizes == passing.sizes):
            return False
        self._places[self.tensors : 2 * self.tensors] = passing.places
        return True

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
        self._ends = array("q", accumulate(rows[OWN].sizes))
        return True


class _Row(NamedTuple):
    dtype: torch.dtype
    tensors: list[Tensor]
    places: array[int]
    sizes: array[int]
    contiguous: bool
    held: list[torch.UntypedStorage]

    def is_of(self, tensors: Sequence[Tensor], dtype: torch.dtype) -> bool:
        same = dtype == self.dtype and len(tensors) == len(self.tensors)
        return same and all(map(is_, tensors, self.tensors))


def _lasting(rows: Sequence[_Row], known: Sequence[_Row | None]) -> bool:
    """Whether nothing but gradients is new."""
    return all(row is old for i, (row, old) in enumerate(zip(rows, known, strict=False)) if i != PASSING)


def _seen(
    device: torch.device,
    i: int,
    tensors: Sequence[Tensor],
    dtype: torch.dtype,
    known: _Row | None,
    held: bool = False,
) -> _Row | None:
    """The row as it was known, where nothing has changed; None where it is not memory there in that format."""
    try:  # by way of lists, which are made in half the time
        places = array("q", list(map(Tensor.data_ptr, tensors)))
        where_it_was = known is not None and places == known.places and known.is_of(tensors, dtype)
        # What is remembered of a parameter is nobody else's to transpose, or to cut short where it is.
        if where_it_was and i > PASSING:
            return known
        sizes = array("q", list(map(Tensor.numel, tensors)))
    except (RuntimeError, TypeError):  # of a tensor that has no memory of its own, a sparse one; of what is no tensor
        return None
    unmoved = where_it_was and known is not None and known.contiguous and sizes == known.sizes
    if unmoved and all(map(Tensor.is_contiguous, tensors)):
        return known
    if 0 in places and any(size and not place for place, size in zip(places, sizes, strict=True)):  # freed
        return None
    # A subclass may mean something else by its memory, and a lazy negation does.
    if {*map(type, tensors)} - {Tensor, torch.nn.Parameter} or any(map(Tensor.is_neg, tensors)):
        return None
    if {*map(attrgetter("dtype"), tensors)} - {dtype} or not _all_on(device, tensors):
        return None
    storages = list(map(Tensor.untyped_storage, tensors)) if held else []
    return _Row(dtype, list(tensors), places, sizes, all(map(Tensor.is_contiguous, tensors)), storages)


def _all_on(device: torch.device, tensors: Sequence[Tensor]) -> bool:
    """On the CPU it is asked without the making of a device for each."""
    if device == CPU:
        return all(map(attrgetter("is_cpu"), tensors))
    return not {*map(attrgetter("device"), tensors)} - {device}


def _in_one_order(rows: Sequence[_Row]) -> bool:
    """In each column equal shapes in equal order of memory, without gaps."""
    shapes = [list(map(attrgetter("shape"), row.tensors)) for row in rows]
    if any(each != shapes[OWN] for each in shapes):
        return False
    if all(row.contiguous for row in rows):
        return True
    return all(map(_column_in_one_order, *(row.tensors for row in rows)))


def _column_in_one_order(*column: Tensor) -> bool:
    if all(map(Tensor.is_contiguous, column)):
        return True
    shape, strides = column[OWN].shape, column[OWN].stride()
    return all(x.stride() == strides for x in column) and _dense(shape, strides)


def _dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Each place from the first element's to the last's is of one element."""
    reach = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size != 1 and stride != reach:
            return False
        reach *= size
    return True
