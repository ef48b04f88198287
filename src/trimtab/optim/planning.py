"""What a parameter group asks for, in the words of the Triton kernels."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from trimtab.average import EMA, RunningMean
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.kernels.triton.plan import Plan, Values
from trimtab.optim.averaging import Gain
from trimtab.optim.gradients import Clip
from trimtab.optim.update import Update


def plan_of(update: Update, clip: Clip | None, average: Gain | None) -> Plan:
    """What is compiled into the kernels."""
    velocity, scale = update.velocity, update.scale
    return Plan(
        velocity="sum" if velocity is not None and velocity.form == "torch" else "ema",
        nesterov=velocity is not None and velocity.nesterov,
        of_scaled=velocity is not None and velocity.of_scaled and scale is not None,
        correct_velocity=velocity is not None and velocity.corrected,
        correct_scale=scale is not None and scale.corrected,
        eps_inside=scale is not None and scale.eps_inside,
        decays=isinstance(update.weight_decay, Tensor) or update.weight_decay != 0,
        decoupled=update.decoupled,
        maximize=update.maximize,
        bounded=isinstance(clip, ClipByValue),
        clip=("each" if clip.over == "parameter" else "together") if isinstance(clip, ClipByNorm) else None,
        gain=_form(average),
        warmup=isinstance(average, EMA) and average.warmup,
    )


def values_of(update: Update, clip: Clip | None, average: Gain | None) -> Values:
    """The numbers that live on the device."""
    velocity, scale = update.velocity, update.scale
    ema = average if isinstance(average, EMA) else EMA(1.0)  # whose corrected average is the mean of all
    return Values(
        lr=update.lr,
        beta1=velocity.beta if velocity else 0.0,
        dampening=velocity.dampening if velocity else 0.0,
        beta2=scale.beta if scale else 0.0,
        eps=scale.eps if scale else 0.0,
        weight_decay=update.weight_decay,
        bound=clip.max_value if isinstance(clip, ClipByValue) else math.inf,
        max_norm=clip.max_norm if isinstance(clip, ClipByNorm) else math.inf,
        alpha=ema.alpha,
        warm=ema.observations_of_warmup,
    )


def knows(average: Gain | None) -> bool:
    """Whether the kernels can compute its gain; a class of somebody else's may mean anything by it."""
    return average is None or type(average) in (EMA, RunningMean)


def _form(average: Gain | None) -> Literal["plain", "first", "corrected"]:
    if not isinstance(average, EMA):
        return "corrected"
    return "first" if average.start == "first" else "corrected" if average.bias_correction else "plain"
