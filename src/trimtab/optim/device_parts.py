"""The parameters of an optimizer on a GPU as tables for the Triton kernels, where these can step them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from trimtab.clip import ClipByNorm
from trimtab.kernels.step import Memory
from trimtab.kernels.triton.presence import capturing
from trimtab.optim.averaging import Gain
from trimtab.optim.fused import memory_of
from trimtab.optim.gradients import Clip
from trimtab.optim.planning import knows, plan_of, values_of
from trimtab.optim.update import Update

if TYPE_CHECKING:
    from trimtab.kernels.triton.plan import Plan, Values
    from trimtab.kernels.triton.step import StepTable

State = dict[str, Any]
COUNTERS: tuple[Memory, ...] = ("step", "average_step")  # their names in a state and in a table


@dataclass(frozen=True)
class Request:
    """What an optimizer asks of a step beside its groups; `scale` and `found` are a GradScaler's."""

    clip: Clip | None
    average: Gain | None
    skips: bool
    scale: Tensor | None
    found: Tensor | None


@dataclass(frozen=True, eq=False)
class Part:
    """Parameters of one dtype of the group of number `group`, in a table, and how they are stepped."""

    group: int
    table: StepTable
    params: list[Tensor]
    memory: Mapping[Memory, list[Tensor]]
    states: list[State]
    plan: Plan
    values: Values

    @property
    def on_host(self) -> list[Memory]:
        """The counters that are not where the parameters are."""
        if self.params[0].is_cpu:
            return []
        return [name for name in COUNTERS if any(map(attrgetter("is_cpu"), self.memory.get(name, ())))]

    def take(self, without: Sequence[Memory] = ()) -> bool:
        """Whether the table takes the tensors."""
        memory: dict[Memory, list[Tensor]] = {name: row for name, row in self.memory.items() if name not in without}
        return self.table.take(self.params, [cast(Tensor, p.grad) for p in self.params], memory)

    def take_counters(self) -> bool:
        """Whether the table takes the counters too, once they are on the device: a step counts there by itself.

        torch's `fused=True` keeps them there as well. One copy brings all of them; a capture could not wait for it.
        """
        missing = self.on_host
        if not missing:
            return True
        if capturing():
            return False
        for name in missing:
            row = self.memory[name]
            hosted = [i for i, counter in enumerate(row) if counter.is_cpu]
            brought = torch.stack([row[i] for i in hosted]).to(self.params[0].device).unbind()
            for i, counter in zip(hosted, brought, strict=True):
                row[i] = self.states[i][name] = counter
        return self.take()


class Parts:
    """The tables of one optimizer. All of its tensors are stepped by them, or none: a norm may be over all."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, torch.dtype], StepTable] = {}

    def of(
        self,
        groups: Sequence[dict[str, Any]],
        state: Mapping[Any, State],
        update_of: Callable[[dict[str, Any]], Update],
        ask: Request,
    ) -> list[Part] | None:
        """The groups as tables, at least one; None where others must take the step.

        They take a tensor's first step, which begins its state, and every step of what the kernels do not know:
        several devices, complex numbers, memory in different orders, averages of a stranger's making.
        """
        idle = (p for group in groups for p in group["params"] if p.grad is None)
        if not knows(ask.average) or (ask.average and any("average" in state.get(p, {}) for p in idle)):
            return None  # the averages of idle weights move all the same
        parts: list[Part] = []
        for place, group in enumerate(groups):
            own = [p for p in group["params"] if p.grad is not None]
            kinds = list(dict.fromkeys(map(attrgetter("dtype"), own)))
            if len(kinds) > 1 and isinstance(ask.clip, ClipByNorm) and ask.clip.over == "parameter":
                return None  # norms are reported in the order of the parameters
            update = update_of(group)
            for dtype in kinds:
                some = own if len(kinds) == 1 else [p for p in own if p.dtype == dtype]
                part = self._part(place, some, state, update, ask)
                if part is None:
                    return None
                parts.append(part)
        whole = len({part.params[0].device for part in parts}) == 1 and all(part.take(part.on_host) for part in parts)
        return parts if whole and all(part.take_counters() for part in parts) else None

    def _part(
        self, place: int, params: list[Tensor], state: Mapping[Any, State], update: Update, ask: Request
    ) -> Part | None:
        from trimtab.kernels.triton.step import StepTable

        states = [state.get(p, {}) for p in params]
        memory = memory_of(states, update, ask.average is not None)
        if memory is None:
            return None
        table = self._tables.setdefault((place, params[0].dtype), StepTable())
        plan, values = plan_of(update, ask.clip, ask.average), values_of(update, ask.clip, ask.average)
        return Part(place, table, params, memory, states, plan, values)
