"""What a step does, as a value: w ← w − lr · direction / scale, with weight decay beside it or inside the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

MomentumForm = Literal["ema", "torch"]
MOMENTUM_FORMS = get_args(MomentumForm)  # asked for here, as torch 2.6 compiles no `get_args`
Number = float | Tensor  # a tensor of one element where a value must not be read on the host: capture, compilation


@dataclass(frozen=True)
class Velocity:
    """A direction other than the gradient itself.

    `form="ema"` is the average from zero, `v ← β v + (1−β) g`; "torch" the sum, `b ← β b + (1−τ) g` from b = g.
    `corrected` divides v by `1 − β^t`, t the step from 1. `nesterov` looks one decay ahead: `β v + (1−β) g`, `g + β b`.
    `of_scaled` accumulates `g / scale` in place of g, as torch's RMSprop does.
    """

    beta: Number
    form: MomentumForm = "ema"
    corrected: bool = False
    nesterov: bool = False
    dampening: Number = 0.0
    of_scaled: bool = False

    def __post_init__(self) -> None:
        if self.form not in MOMENTUM_FORMS:
            raise ValueError(f'momentum_form is "torch" or "ema", not {self.form!r}')
        if self.form == "ema" and self.dampening != 0:
            raise ValueError('dampening belongs to momentum_form="torch": an average weighs g by 1 − β already')
        if self.corrected and self.form != "ema":
            raise ValueError('only an average from zero has a bias to correct: momentum_form="ema" has, "torch" not')


@dataclass(frozen=True)
class Scale:
    """A scale other than 1: the root of the EMA of g², `s ← β s + (1−β) g²`, as `√s + ε` or `√(s + ε)`.

    `corrected` divides s by `1 − β^t`; `centered` takes the square of the EMA of g from it; `amsgrad` takes the largest
    s so far. `key` is the name of s in the state.
    """

    beta: Number
    eps: float
    eps_inside: bool = False
    corrected: bool = False
    centered: bool = False
    amsgrad: bool = False
    key: str = "square_avg"


@dataclass(frozen=True)
class Update:
    """The whole of one step. SGD has neither velocity nor scale, momentum the one, RMSProp the other, Adam both."""

    lr: Number
    velocity: Velocity | None = None
    scale: Scale | None = None
    weight_decay: Number = 0.0
    decoupled: bool = False
    maximize: bool = False
    capturable: bool = False

    @property
    def counts(self) -> bool:
        """Whether the steps are counted in the state. A bare scale would not need it; torch's RMSprop has it."""
        return self.scale is not None or (self.velocity is not None and self.velocity.corrected)

    @property
    def remembers(self) -> bool:
        """Whether a step leaves anything for the next."""
        return self.velocity is not None or self.scale is not None


def asked_for(group: Mapping[str, Any], velocity: Velocity | None = None, scale: Scale | None = None) -> Update:
    """The update of a parameter group: a direction, a scale, and what every group names alike."""
    on_device = bool(group.get("capturable"))
    return Update(
        lr=number(group["lr"], on_device),
        velocity=velocity,
        scale=scale,
        weight_decay=number(group["weight_decay"], on_device),
        decoupled=group["decoupled_weight_decay"],
        maximize=group["maximize"],
        capturable=on_device,
    )


def number(value: Number, on_device: bool = False) -> Number:
    """A hyperparameter as a float; as a scalar tensor where it is one and the host must not read it."""
    if not isinstance(value, Tensor):
        return value
    return value.squeeze() if on_device or torch.compiler.is_compiling() else value.item()
