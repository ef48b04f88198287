"""SGD: the direction is the gradient or its running average, the scale is 1."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from trimtab.optim.averaging import Gain
from trimtab.optim.descent import Descent, OnNonfinite
from trimtab.optim.gradients import Clip
from trimtab.optim.update import MomentumForm, Update, Velocity, asked_for, number


class SGD(Descent):
    """`w ← w − α g`, or with momentum `w ← w − α v`.

    The arguments up to `fused` are those of `torch.optim.SGD`, with the same results to rounding; bit for bit on the
    CPU without the native core. Further:

    `momentum_form`: "torch" accumulates, `v ← β v + (1−τ) g` from v = g, τ the `dampening`; "ema" is the textbook's
    average from zero, `v ← β v + (1−β) g`, whose steps do not grow with β. The former at learning rate `α (1−β)` is the
    latter at α. `bias_correction` (of "ema" only) divides v by `1 − βᵗ`, so that the first v is g.
    `decoupled_weight_decay`: `w ← w − α λ w` beside the step, in place of `g ← g + λ w`.
    `clip`, `average`, `on_nonfinite`: see `Descent`.

    State: `momentum_buffer` as in torch, or `exp_avg` for "ema". Sparse gradients and `differentiable` are refused.
    Sources: Robbins and Monro (1951); Polyak (1964); Sutskever, Martens, Dahl and Hinton (2013) for Nesterov's form.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        momentum_form: MomentumForm = "torch",
        bias_correction: bool = False,
        decoupled_weight_decay: bool = False,
        clip: Clip | None = None,
        average: Gain | None = None,
        on_nonfinite: OnNonfinite = "pass",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
            "momentum_form": momentum_form,
            "bias_correction": bias_correction,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, clip=clip, average=average, on_nonfinite=on_nonfinite)

    def update_of(self, group: dict[str, Any]) -> Update:
        velocity = Velocity(
            beta=number(group["momentum"]),
            form=group["momentum_form"],
            corrected=group["bias_correction"],
            nesterov=group["nesterov"],
            dampening=number(group["dampening"]),
        )
        return asked_for(group, velocity if group["momentum"] != 0 else None)
