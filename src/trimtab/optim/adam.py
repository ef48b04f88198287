"""Adam: the direction is the running average of g, the scale the root of that of g². AdamW decays beside it."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from trimtab.optim.averaging import Gain
from trimtab.optim.descent import Descent, OnNonfinite
from trimtab.optim.gradients import Clip
from trimtab.optim.update import Scale, Update, Velocity, asked_for, number

Beta = float | Tensor


class Adam(Descent):
    """`v ← β₁ v + (1−β₁) g`; `s ← β₂ s + (1−β₂) g²`; `w ← w − α v̂ / (√ŝ + ε)`, `v̂ = v / (1−β₁ᵗ)`, `ŝ = s / (1−β₂ᵗ)`.

    The arguments up to `decoupled_weight_decay` are those of `torch.optim.Adam`, with the same results to
    rounding; bit for bit on the CPU without the native core. Further:

    `eps_inside_sqrt`: `√(ŝ + ε)` in place of `√ŝ + ε`. `bias_correction=False` takes v and s as they are.
    `clip`, `average`, `on_nonfinite`: see `Descent`.

    State: `step`, `exp_avg`, `exp_avg_sq`, and `max_exp_avg_sq` with `amsgrad`. A gradient whose square its format
    cannot hold, beyond 1.8e19 or below 1e-23 in float32, leaves the range of s as it does in torch: clip the former.
    Sources: Kingma and Ba (2015, arXiv:1412.6980); Reddi, Kale and Kumar (2018) for AMSGrad.

    >>> import torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w**2).sum().backward(); optimizer.step(); w.data
    tensor([0.9000, 1.9000])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[Beta, Beta] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        eps_inside_sqrt: bool = False,
        bias_correction: bool = True,
        clip: Clip | None = None,
        average: Gain | None = None,
        on_nonfinite: OnNonfinite = "pass",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_inside_sqrt": eps_inside_sqrt,
            "bias_correction": bias_correction,
        }
        super().__init__(params, defaults, clip=clip, average=average, on_nonfinite=on_nonfinite)

    def update_of(self, group: dict[str, Any]) -> Update:
        beta1, beta2 = (number(beta, group["capturable"]) for beta in group["betas"])
        velocity = Velocity(beta1, corrected=group["bias_correction"])
        scale = Scale(
            beta2,
            eps=group["eps"],
            eps_inside=group["eps_inside_sqrt"],
            corrected=group["bias_correction"],
            amsgrad=group["amsgrad"],
            key="exp_avg_sq",
        )
        return asked_for(group, velocity, scale)


class AdamW(Adam):
    """Adam with decoupled weight decay: `w ← w − α λ w` beside the step, so that s does not divide it.

    The arguments up to `fused` are those of `torch.optim.AdamW`, with the same results; the further ones are Adam's.
    Source: Loshchilov and Hutter (2019, arXiv:1711.05101).
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[Beta, Beta] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        eps_inside_sqrt: bool = False,
        bias_correction: bool = True,
        clip: Clip | None = None,
        average: Gain | None = None,
        on_nonfinite: OnNonfinite = "pass",
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
            eps_inside_sqrt=eps_inside_sqrt,
            bias_correction=bias_correction,
            clip=clip,
            average=average,
            on_nonfinite=on_nonfinite,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # older states of torch's AdamW do not say so
