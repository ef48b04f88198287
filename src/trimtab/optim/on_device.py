"""The step through the Triton kernels: all tensors of a group in one launch on the GPU, and nothing waits for it.

Norms, counts, a GradScaler's verdict and the decision to leave a step out stay on the device; the host reads them only
where a user asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from trimtab.clip import ClipByNorm
from trimtab.kernels.triton.presence import capturing, takes
from trimtab.optim.device_parts import Part, Parts, Request, State
from trimtab.optim.skipping import SKIPPED, counted
from trimtab.optim.update import Update

if TYPE_CHECKING:
    from trimtab.kernels.triton.step import Signals


class OnDevice:
    """The steps of one optimizer on a GPU, and what its parts share there."""

    def __init__(self) -> None:
        self._parts = Parts()
        self._norms = self._reported = torch.empty(0, dtype=torch.float64)
        self._skipped = torch.zeros((), dtype=torch.int64)  # in every group, once a step may be left out
        self._in_graphs: list[Tensor] = []  # memory that graphs use at each replay

    def parts(
        self,
        groups: Sequence[dict[str, Any]],
        state: Mapping[Any, State],
        update_of: Callable[[dict[str, Any]], Update],
        ask: Request,
    ) -> list[Part] | None:
        """What `step` takes; None where others must take this step."""
        device = next((p.device for group in groups for p in group["params"] if p.grad is not None), None)
        parts = self._parts.of(groups, state, update_of, ask) if device is not None and takes(device) else None
        if device is None or parts is None:
            return None
        shape = _shape(parts, len(groups), ask)
        room = (len(self._norms), self._reported.shape, self._reported.device)
        if capturing():
            known = self._counts(groups, ask, device) and all(
                part.table.knows(part.plan, self._signals(ask, device)) for part in parts
            )
            return parts if known and room == (len(parts), shape, device) else None
        if room != (len(parts), shape, device):
            self._norms = torch.zeros(len(parts), dtype=torch.float64, device=device)
            self._reported = torch.full(shape, torch.nan, dtype=torch.float64, device=device)
        if not self._counts(groups, ask, device):
            self._skipped = self._skipped.to(device).fill_(counted(groups))  # in place: graphs count there, too
            for group in groups:
                group[SKIPPED] = self._skipped
        return parts

    def step(self, parts: Sequence[Part], ask: Request) -> Tensor | None:
        """One step of all parts, their averages included. Returns the norms to report, None without `ClipByNorm`."""
        signals, places = self._signals(ask, parts[0].params[0].device), self._norms.unbind()
        if isinstance(ask.clip, ClipByNorm) or ask.skips:
            for part, place in zip(parts, places, strict=True):
                part.table.measure(place)
        of_each = 0
        for i, part in enumerate(parts):
            over, reported = self._judged(i, parts, ask, of_each)
            part.table.step(part.plan, part.values, signals, over, reported, leads=i == 0)
            of_each += len(part.params)
            increment_version([*part.params, *part.memory.get("average", ())])  # torch did not see that they changed
        if not isinstance(ask.clip, ClipByNorm):
            return None
        if not capturing():
            return self._reported.clone()
        self._in_graphs += [self._norms, self._reported, self._skipped]
        return self._reported  # which a replay brings up to date

    def _judged(
        self, i: int, parts: Sequence[Part], ask: Request, of_each: int
    ) -> tuple[tuple[int, int], Tensor | None]:
        """Between which norms those of part `i` are that it is clipped by, and where it reports what they come to."""
        if not isinstance(ask.clip, ClipByNorm):
            return (0, 0), None
        if ask.clip.over == "parameter":
            return (0, 0), self._reported[of_each : of_each + len(parts[i].params)]
        if ask.clip.over == "all":
            return (0, len(parts)), self._reported if i == 0 else None
        group = parts[i].group
        own = [j for j, part in enumerate(parts) if part.group == group]
        return (own[0], own[-1] + 1), self._reported[group] if i == own[0] else None

    def _counts(self, groups: Sequence[dict[str, Any]], ask: Request, device: torch.device) -> bool:
        """Whether a step that is left out is counted in the groups, or none can be."""
        here = self._skipped.device == device
        return not _may_skip(ask) or (here and all(group.get(SKIPPED) is self._skipped for group in groups))

    def _signals(self, ask: Request, device: torch.device) -> Signals:
        from trimtab.kernels.triton.step import Signals

        scale = None if ask.scale is None else ask.scale.to(device, non_blocking=True)
        found = None if ask.found is None else ask.found.to(device, non_blocking=True)
        return Signals(self._norms, self._skipped if _may_skip(ask) else None, ask.skips, scale, found)


def _may_skip(ask: Request) -> bool:
    return ask.skips or ask.found is not None


def _shape(parts: Sequence[Part], groups: int, ask: Request) -> tuple[int, ...]:
    """Of the norms to report."""
    if not isinstance(ask.clip, ClipByNorm) or ask.clip.over == "all":
        return ()
    return (groups,) if ask.clip.over == "group" else (sum(len(part.params) for part in parts),)
