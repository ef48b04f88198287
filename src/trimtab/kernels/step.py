"""One step of all tensors of a parameter group in one pass over memory, on the CPU; and the norms that it clips by."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from trimtab.kernels import native
from trimtab.kernels.step_options import Settings, StepOptions, settings
from trimtab.kernels.table import PASSING, Table

Memory = Literal["velocity", "square", "mean", "largest", "average", "step", "average_step"]
MEMORY: tuple[Memory, ...] = ("velocity", "square", "mean", "largest", "average")
COUNTERS: tuple[Memory, ...] = ("step", "average_step")


class StepTable:
    """The tensors that are stepped together: parameters of one dtype, their gradients, and what is remembered of them.

    >>> w, v = torch.tensor([1.0, 2.0]), torch.zeros(2)
    >>> table = StepTable()
    >>> if native.available() and table.take([w], [torch.ones(2)], {"velocity": [v]}):
    ...     table.step(StepOptions(lr=0.1, beta1=0.5))
    """

    def __init__(self) -> None:
        self._table = Table()
        self._names: tuple[Memory, ...] = ()
        self._dtype = self._step_dtype = torch.float32

    def take(
        self, params: Sequence[Tensor], grads: Sequence[Tensor], memory: Mapping[Memory, Sequence[Tensor]]
    ) -> bool:
        """Whether these can be stepped here. To be asked before each step; quick where nothing has changed.

        They can where all of a parameter's tensors are dense, on the CPU, with equal strides. All parameters have one
        dtype, gradients the same, memory the same or float32 where that is shorter; "step" is float32 or float64 and
        "average_step" int64, a number for each parameter. `memory` has tensors under the names in MEMORY and COUNTERS.

        Raises ValueError for another name.
        """
        if unknown := {*memory} - {*MEMORY, *COUNTERS}:
            raise ValueError(f"a step has no memory named {sorted(unknown)}, only {[*MEMORY, *COUNTERS]}")
        self._names = tuple(name for name in (*MEMORY, *COUNTERS) if name in memory)
        rows = [params, grads, *(memory[name] for name in self._names)]
        if not params or params[0].dtype not in native.DTYPES or {*map(len, rows)} != {len(params)}:
            return False
        self._dtype = params[0].dtype
        self._step_dtype = memory["step"][0].dtype if "step" in memory else torch.float32
        if self._step_dtype not in (torch.float32, torch.float64):
            return False
        dtypes = [self._dtype, self._dtype, *map(self._dtype_of, self._names)]
        return self._table.take(rows, dtypes, counters=len({*self._names} & {*COUNTERS}))

    def observations(self) -> list[int]:
        """How many observations there are in the averages: one number where it is the same for all, else one for each.

        Raises RuntimeError where the table has no tensors, ValueError where it has no "average_step".
        """
        tensors = self._table.tensors
        counts = array("q", bytes(8 * tensors))
        _counts()(tensors, self._table.row(2 + self._names.index("average_step")), counts.buffer_info()[0])
        return counts[:1].tolist() if counts == counts[:1] * tensors else counts.tolist()

    def norms(self, known: Sequence[float] = ()) -> Tensor:
        """The Euclidean length of each gradient, float64; not finite where a coordinate is not.

        Neither overflows nor underflows. The same for any number of threads. Where there are numbers for each gradient
        in `known`, one that is 0 or greater is its squared length; not for float64.
        """
        norms = self._root_of_squares(1.0, array("d", known) if known else None)
        if self._dtype == torch.float64:  # it holds the square of any number of the other formats, not of its own
            if bool(norms.isinf().any()):
                norms = torch.where(norms.isinf(), self._root_of_squares(2.0**-600), norms)
            if bool((norms < 1e-140).any()):
                norms = torch.where(norms < 1e-140, self._root_of_squares(2.0**600), norms)
        return norms

    def step(self, options: StepOptions) -> None:
        """One step of every parameter and of what is remembered of it, in place. A counter counts first.

        Raises ValueError where an option needs memory that the table does not have.
        """
        _check(options, self._names, self._table.tensors)
        codes = native.DTYPES[self._dtype], native.DTYPES[self._step_dtype]
        given, kept = settings(options, ("param", "grad", *self._names), *codes)
        _step()(*self._table.arguments(), ctypes.byref(given), native.threads())
        del kept

    def _dtype_of(self, name: Memory) -> torch.dtype:
        if name in COUNTERS:
            return self._step_dtype if name == "step" else torch.int64
        return torch.float64 if self._dtype == torch.float64 else torch.float32

    def _root_of_squares(self, unit: float, known: array[float] | None = None) -> Tensor:
        """`√ Σ (unit x)² / unit` of each gradient."""
        tensors, ends, _ = self._table.arguments()
        sums = torch.empty(tensors, dtype=torch.float64)
        parts = torch.empty(self._table.elements // native.chunk() + 1 + tensors, dtype=torch.float64)
        grads, code = self._table.row(PASSING), native.DTYPES[self._dtype]
        given = known.buffer_info()[0] if known else None
        squares()(tensors, ends, grads, code, unit, given, parts.data_ptr(), sums.data_ptr(), native.threads())
        return sums.sqrt_().div_(unit)


def _check(options: StepOptions, names: Sequence[Memory], tensors: int) -> None:
    for name in ("factors", "gains", "begun"):
        values = getattr(options, name)
        if values is not None and len(values) != tensors:
            raise ValueError(f"{name} has {len(values)} numbers for {tensors} tensors: give one for each")
    if (options.correct_velocity or options.correct_scale) and "step" not in names:
        raise ValueError('a corrected bias needs the number of the step: give the table a "step"')
    if {"mean", "largest"} & {*names} and ("square" not in names or {"mean", "largest"} <= {*names}):
        raise ValueError(f'one of "mean" and "largest" goes with a "square", the table has {list(names)}')
    if options.of_scaled and not {"velocity", "square"} <= {*names}:
        raise ValueError(f'of_scaled needs a "velocity" and a "square", the table has {list(names)}')


@cache
def _step() -> Callable[..., Any]:
    pointer = ctypes.POINTER(Settings)
    return native.function("trimtab_step", native.INTEGER, native.ADDRESS, native.ADDRESS, pointer, native.INTEGER)


@cache
def _counts() -> Callable[..., Any]:
    return native.function("trimtab_counts", native.INTEGER, native.ADDRESS, native.ADDRESS)


@cache
def squares() -> Callable[..., Any]:
    """Σ (unit x)² of each tensor: see native/squares.cpp."""
    integer, place, real = native.INTEGER, native.ADDRESS, native.REAL
    return native.function("trimtab_squares", integer, place, place, ctypes.c_int32, real, *[place] * 3, integer)
