"""RMSprop: the scale is the root of the running average of g²."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from trimtab.optim.averaging import Gain
from trimtab.optim.descent import Descent, OnNonfinite
from trimtab.optim.gradients import Clip
from trimtab.optim.update import MomentumForm, Scale, Update, Velocity, asked_for, number


class RMSprop(Descent):
    """`s ← β s + (1−β) g²`; `w ← w − α g / (√s + ε)`.

    The arguments up to `differentiable` are those of `torch.optim.RMSprop`, with the same results to rounding;
    bit for bit on the CPU without the native core. β is named `alpha` there. Further:

    `eps_inside_sqrt`: `√(s + ε)` in place of `√s + ε`. `bias_correction` divides s (and an "ema" velocity) by `1 − βᵗ`.
    `momentum_form`: "torch" accumulates what is already scaled, `b ← μ b + g / (√s + ε)`; "ema" scales the average of
    the gradient, `v ← μ v + (1−μ) g`: with `bias_correction` that is Adam.
    `decoupled_weight_decay`: `w ← w − α λ w` beside the step, in place of `g ← g + λ w`.
    `clip`, `average`, `on_nonfinite`: see `Descent`.

    State: `step`, `square_avg`, `grad_avg` if centred, `momentum_buffer` as in torch, or `exp_avg` for "ema".
    Differs from torch: with `centered`, s − m² is not let below 0, where torch's root is NaN. With `bias_correction` it
    is 0 at the first step, which is so α g / ε: give an ε of the gradient's size.
    Sources: Tieleman and Hinton (2012, lecture 6.5); Graves (2013, arXiv:1308.0850) for the centred form.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        eps_inside_sqrt: bool = False,
        bias_correction: bool = False,
        momentum_form: MomentumForm = "torch",
        decoupled_weight_decay: bool = False,
        clip: Clip | None = None,
        average: Gain | None = None,
        on_nonfinite: OnNonfinite = "pass",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "eps_inside_sqrt": eps_inside_sqrt,
            "bias_correction": bias_correction,
            "momentum_form": momentum_form,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, clip=clip, average=average, on_nonfinite=on_nonfinite)

    def update_of(self, group: dict[str, Any]) -> Update:
        averaged = group["momentum_form"] == "ema"
        velocity = Velocity(
            beta=number(group["momentum"], group["capturable"]),
            form=group["momentum_form"],
            corrected=averaged and group["bias_correction"],
            of_scaled=not averaged,
        )
        scale = Scale(
            beta=number(group["alpha"], group["capturable"]),
            eps=group["eps"],
            eps_inside=group["eps_inside_sqrt"],
            corrected=group["bias_correction"],
            centered=group["centered"],
            key="square_avg",
        )
        return asked_for(group, velocity if group["momentum"] != 0 else None, scale)
