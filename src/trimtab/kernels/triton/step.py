"""One step of all tensors of a parameter group in one launch, on the GPU; nothing in it waits for the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import triton.language as tl
from torch import Tensor

from trimtab.kernels.step import COUNTERS, MEMORY, Memory
from trimtab.kernels.table import Table
from trimtab.kernels.triton.chunks import BLOCK, CHUNK, WARPS
from trimtab.kernels.triton.coefficients import prepare
from trimtab.kernels.triton.descend import step_of_chunks
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.plan import Plan, Values
from trimtab.kernels.triton.presence import capturing
from trimtab.kernels.triton.room import Room

TYPES = {torch.float32: tl.float32, torch.float64: tl.float64, torch.bfloat16: tl.bfloat16, torch.float16: tl.float16}
AT_ONCE = 128  # tensors whose coefficients a program computes


@dataclass(frozen=True, eq=False)
class Signals:
    """What the tables of one step share, in the memory of their device.

    Args:
        norms: float64, a place for the norm of each table; not finite where a gradient is not.
        skipped: int64, how many steps were left out; None where none can be.
        looks: whether a norm that is not finite leaves the step out.
        scale: what the gradients are divided by; None is 1.
        found: not 0 where the step is to be left out; None is 0.
    """

    norms: Tensor
    skipped: Tensor | None
    looks: bool = False
    scale: Tensor | None = None
    found: Tensor | None = None


class StepTable:
    """As `trimtab.kernels.step.StepTable`, on a GPU: the counters of its memory are there too."""

    def __init__(self) -> None:
        self._table = Table()
        self._names: tuple[Memory, ...] = ()
        self._dtype = self._step_dtype = torch.float32
        self._room: Room | None = None
        self._in_graphs: list[Room] = []  # memory that graphs use at each replay
        self._compiled: set[Any] = set()

    def take(
        self, params: Sequence[Tensor], grads: Sequence[Tensor], memory: Mapping[Memory, Sequence[Tensor]]
    ) -> bool:
        """Whether these can be stepped here. To be asked before each step.

        They can where all of a parameter's tensors are dense, on one device, with equal strides; of types as in the
        native core. In a capture they can where one step was taken outside of it since the last.
        """
        self._names = tuple(name for name in (*MEMORY, *COUNTERS) if name in memory)
        rows = [params, grads, *(memory[name] for name in self._names)]
        if not params or params[0].dtype not in TYPES or {*map(len, rows)} != {len(params)}:
            return False
        self._dtype, device = params[0].dtype, params[0].device
        self._step_dtype = memory["step"][0].dtype if "step" in memory else torch.float32
        if self._step_dtype not in (torch.float32, torch.float64):
            return False
        if self._room is None or self._room.flag.device != device:
            self._table = Table(device)
        dtypes = [self._dtype, self._dtype, *map(self._dtype_of, self._names)]
        counters = len({*self._names} & {*COUNTERS})
        return self._table.take(rows, dtypes, counters) and self._placed(len(rows), counters, device)

    def knows(self, plan: Plan, signals: Signals) -> bool:
        """Whether such a step was taken before: a capture cannot wait for the compiler."""
        return self._kind(plan, signals) in self._compiled

    def measure(self, whole: Tensor | None = None) -> Tensor:
        """The length of each gradient, for `step` to clip by; and that of all of them into the number `whole`.

        float64; neither overflows nor underflows; not finite where a coordinate is not. In memory of the table's.
        """
        room = self._taken()
        room.lengths.measure(room.places.table, 1, TYPES[self._dtype], whole)
        return room.lengths.each

    def step(
        self,
        plan: Plan,
        values: Values,
        signals: Signals,
        over: tuple[int, int] = (0, 0),
        reported: Tensor | None = None,
        leads: bool = True,
    ) -> None:
        """One step of every parameter and of what is remembered of it, in place, unless it is to be left out.

        Args:
            plan: the form of the step.
            values: its numbers.
            signals: what it shares with other tables.
            over: from which to before which of `signals.norms` the gradients are clipped by together.
            reported: where the norm, unscaled, is put unless the step is left out; one number, or one for each tensor.
            leads: whether this table counts a step that is left out.

        Raises ValueError where the plan needs memory that the table does not have.
        """
        _check(plan, self._names, reported)
        room = self._taken()
        room.live.set(values)
        self._prepare(room, plan, signals, over, reported, leads)
        self._descend(room, plan)
        if not capturing():
            self._compiled.add(self._kind(plan, signals))

    def _prepare(
        self,
        room: Room,
        plan: Plan,
        signals: Signals,
        over: tuple[int, int],
        reported: Tensor | None,
        leads: bool,
    ) -> None:
        launch(
            prepare,
            (-(-room.places.tensors // AT_ONCE),),
            room.coefficients,
            room.flag,
            room.live.vector,
            room.places.table,
            room.lengths.each,
            signals.norms,
            signals.scale,
            signals.found,
            signals.skipped,
            room.lengths.each if reported is None else reported,
            room.places.tensors,
            len(signals.norms),
            *over,
            int(leads),
            int(reported is not None),
            STEP=self._row("step"),
            STEP_TYPE=TYPES[self._step_dtype],
            AVERAGE_STEP=self._row("average_step"),
            TYPE=TYPES[room.wide],
            CLIP=plan.clip,
            LOOKS=signals.looks,
            MAXIMIZE=plan.maximize,
            DECOUPLED=plan.decoupled,
            CORRECT_VELOCITY=plan.correct_velocity,
            NESTEROV=plan.nesterov,
            CORRECT_SCALE=plan.correct_scale,
            INSIDE=plan.eps_inside,
            CENTRED="mean" in self._names,
            FORM=plan.gain,
            WARMS=plan.warmup,
            BLOCK=AT_ONCE,
        )

    def _descend(self, room: Room, plan: Plan) -> None:
        launch(
            step_of_chunks,
            (room.chunks.count,),
            room.flag,
            room.coefficients,
            room.places.table,
            room.chunks.sizes,
            room.chunks.first,
            room.chunks.tensor,
            room.places.tensors,
            VELOCITY=self._row("velocity"),
            SQUARE=self._row("square"),
            THIRD=max(self._row("mean"), self._row("largest")),
            AVERAGE=self._row("average"),
            ALIGNED=room.places.rows,
            TYPE=TYPES[self._dtype],
            WIDE=TYPES[room.wide],
            FORM=plan.velocity,
            NESTEROV=plan.nesterov,
            LARGEST="largest" in self._names,
            OF_SCALED=plan.of_scaled,
            BOUNDED=plan.bounded,
            DECAYS=plan.decays and not plan.decoupled,
            CHUNK=CHUNK,
            BLOCK=BLOCK,
            num_warps=WARPS,
        )

    def _placed(self, rows: int, counters: int, device: torch.device) -> bool:
        """Whether the device has the addresses."""
        sizes = np.diff(np.frombuffer(self._table.ends, np.int64), prepend=0)
        if self._room is None or not self._room.serves(rows, sizes, self._wide(), device):
            if capturing():
                return False
            self._room = Room.of(rows, sizes, self._wide(), device)
        elif capturing() and self._room not in self._in_graphs:
            self._in_graphs.append(self._room)
        addresses = np.frombuffer(self._table.places, np.int64).reshape(rows, -1)
        return self._room.places.set(addresses.copy(), counters)

    def _taken(self) -> Room:
        self._table.arguments()
        assert self._room is not None
        return self._room

    def _row(self, name: Memory) -> int:
        """Where the table has it; -1 where it does not."""
        return 2 + self._names.index(name) if name in self._names else -1

    def _wide(self) -> torch.dtype:
        """The type that is computed in."""
        return torch.float64 if self._dtype == torch.float64 else torch.float32

    def _dtype_of(self, name: Memory) -> torch.dtype:
        if name in COUNTERS:
            return self._step_dtype if name == "step" else torch.int64
        return self._wide()

    def _kind(self, plan: Plan, signals: Signals) -> Any:
        given = (signals.looks, signals.scale is None, signals.found is None)
        return plan, given, self._names, self._dtype, self._step_dtype


def _check(plan: Plan, names: Sequence[Memory], reported: Tensor | None) -> None:
    if (plan.correct_velocity or plan.correct_scale) and "step" not in names:
        raise ValueError('a corrected bias needs the number of the step: give the table a "step"')
    if {"mean", "largest"} & {*names} and ("square" not in names or {"mean", "largest"} <= {*names}):
        raise ValueError(f'one of "mean" and "largest" goes with a "square", the table has {list(names)}')
    if plan.of_scaled and not {"velocity", "square"} <= {*names}:
        raise ValueError(f'of_scaled needs a "velocity" and a "square", the table has {list(names)}')
    if ("average" in names) != ("average_step" in names):
        raise ValueError(f'an "average" goes with an "average_step", the table has {list(names)}')
    if plan.clip == "each" and reported is None:
        raise ValueError("clipping of each tensor by its own norm needs a place for the norms that are reported")
