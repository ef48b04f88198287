"""The step through the native core: all tensors of a group in one pass over memory, where the core can take them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.clip.length import length
from trimtab.kernels import native
from trimtab.kernels.step import Memory, StepTable
from trimtab.kernels.step_options import StepOptions
from trimtab.optim.averaging import Gain
from trimtab.optim.gradients import Clip
from trimtab.optim.in_backward import Measuring
from trimtab.optim.update import Number, Update

State = Mapping[str, Any]
SMALLEST_FACTOR = 2.0**-120  # a smaller one loses digits in float32, in which the core multiplies


@dataclass(frozen=True)
class Part:
    """A parameter group in a table, and what it is to be clipped by: one factor, or one for each tensor."""

    table: StepTable
    params: list[Tensor]
    memory: Mapping[Memory, list[Tensor]]
    update: Update
    idle: bool  # whether there are parameters beside these, without a gradient
    squares: Sequence[float]  # the squared lengths of the gradients, as far as they are known


class Fused:
    """The tables of one optimizer. All of its tensors are stepped here, or none: a norm may be over all of them."""

    def __init__(self) -> None:
        self._tables: dict[int, StepTable] = {}

    def parts(
        self,
        groups: Sequence[Mapping[str, Any]],
        state: Mapping[Any, State],
        updates: Sequence[Update],
        averaged: bool,
        measuring: Measuring | None,
    ) -> list[Part] | None:
        """The groups as tables; None where torch operations must take the step.

        They take a tensor's first step, which begins its state, and every step of what the core does not know: other
        devices, complex numbers, memory in different orders, numbers that are to stay on a device.
        """
        if torch.compiler.is_compiling() or not native.available():
            return None
        found: list[Part] = []
        for place, (group, update) in enumerate(zip(groups, updates, strict=True)):
            params, grads = _with_gradients(group["params"])
            memory = memory_of([*map(state.get, params)], update, averaged)
            if memory is None or not _on_host(update):
                return None
            table = self._tables.setdefault(place, StepTable())
            if params and not table.take(params, grads, memory):
                return None
            squares = measuring.squares(params, grads) if measuring else []
            found.append(Part(table, params, memory, update, len(params) < len(group["params"]), squares))
        return found


def _with_gradients(params: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    grads: list[Tensor] = list(map(attrgetter("grad"), params))
    if type(None) in map(type, grads):
        params = [p for p, g in zip(params, grads, strict=True) if g is not None]
        grads = [g for g in grads if g is not None]
    return params, grads


def step_(parts: Sequence[Part], clip: Clip | None, scale: Tensor | None, average: Gain | None) -> Tensor | bool | None:
    """One step of all parts, their averages included. Returns the norms to report, None without `ClipByNorm`.

    False where a gradient is so long that it is to be clipped in more digits; nothing is changed then.
    """
    unit = 1.0 if scale is None else float(scale)
    reported, factors = _clipping(parts, clip, unit)
    if any(0 < factor < SMALLEST_FACTOR for own in factors for factor in own):
        return False
    bound = clip.max_value if isinstance(clip, ClipByValue) else math.inf
    for part, own in zip(parts, factors, strict=True):
        if part.params:
            part.table.step(_options(part, own, bound, average))
            # Autograd must know what torch did not do: a graph that was kept would use the new weights silently. No
            # graph has moments in it, and to tell of 20,000 takes as long as stepping them.
            increment_version([*part.params, *part.memory.get("average", [])])
    return reported


def _clipping(parts: Sequence[Part], clip: Clip | None, unit: float) -> tuple[Tensor | None, list[list[float]]]:
    """The norms to report, and for each part the factor of all its gradients, or one of each."""
    if not isinstance(clip, ClipByNorm):
        return None, [[1 / unit] for _ in parts]
    each = [
        part.table.norms(part.squares) / unit if part.params else torch.zeros(0, dtype=torch.float64) for part in parts
    ]
    if clip.over == "parameter":
        return torch.cat(each), [_factors(norms, clip, unit) for norms in each]
    whole = torch.stack([length([norms]) for norms in each])
    if clip.over == "group":
        return whole, [_factors(norm[None], clip, unit) for norm in whole]
    total = length([whole])
    return total, [_factors(total[None], clip, unit) for _ in parts]


def _factors(norms: Tensor, clip: ClipByNorm, unit: float) -> list[float]:
    """`c / norm` where a norm is greater than c or NaN, else 1, over what the loss was scaled by."""
    return (torch.where(norms <= clip.max_norm, 1.0, clip.max_norm / norms) / unit).tolist()


def _options(part: Part, factors: list[float], bound: float, average: Gain | None) -> StepOptions:
    velocity, scale, update = part.update.velocity, part.update.scale, part.update
    gains = _gains(part, average)
    options: dict[str, Any] = {"lr": update.lr, "weight_decay": update.weight_decay, "bound": bound}
    options |= {"decoupled": update.decoupled, "maximize": update.maximize}
    options |= {"factor": factors[0]} if len(factors) == 1 else {"factors": factors}
    options |= {"gain": gains[0]} if len(gains) == 1 else {"gains": gains or None}
    if velocity:
        options |= {"velocity": "sum" if velocity.form == "torch" else "ema", "beta1": velocity.beta}
        options |= {"dampening": velocity.dampening, "nesterov": velocity.nesterov}
        options |= {"of_scaled": velocity.of_scaled and scale is not None, "correct_velocity": velocity.corrected}
    if scale:
        options |= {"beta2": scale.beta, "eps": scale.eps, "eps_inside": scale.eps_inside}
        options |= {"correct_scale": scale.corrected}
    return StepOptions(**options)


def _gains(part: Part, average: Gain | None) -> list[float]:
    """Of each tensor's next observation; the core counts it."""
    if average is None:
        return []
    counts = part.table.observations()
    by_count = {count: average.gain(count + 1) for count in {*counts}}
    return [by_count[count] for count in counts]


def memory_of(states: Sequence[Any], update: Update, averaged: bool) -> Mapping[Memory, list[Tensor]] | None:
    """What is remembered of the tensors, by the names of the table; None where one has not begun."""
    keys: dict[Memory, str] = {}
    if update.velocity:
        keys["velocity"] = "exp_avg" if update.velocity.form == "ema" else "momentum_buffer"
    if update.scale:
        keys["square"] = update.scale.key
        keys |= {"mean": "grad_avg"} if update.scale.centered else {}
        keys |= {"largest": "max_exp_avg_sq"} if update.scale.amsgrad else {}
    keys |= {"average": "average", "average_step": "average_step"} if averaged else {}
    keys |= {"step": "step"} if update.counts else {}
    try:
        return {name: list(map(itemgetter(key), states)) for name, key in keys.items()}
    except (KeyError, TypeError):  # of a state that lacks it; of no state at all
        return None


def _on_host(update: Update) -> bool:
    """Whether all its numbers can be read here and now."""
    numbers: list[Number] = [update.lr, update.weight_decay]
    numbers += [update.velocity.beta, update.velocity.dampening] if update.velocity else []
    numbers += [update.scale.beta] if update.scale else []
    return not update.capturable and not any(isinstance(value, Tensor) for value in numbers)
