"""One step of one tensor, in place. What a group asks for is in the `Update`; this only does it.

Where torch has the same setting the operations and their order are those of its single-tensor path, so that the results
are equal bit for bit. float16 and bfloat16 are stepped in float32 and their state is kept in it: 1 − β₂ = 0.001 is
below half a bfloat16's last place, so that an average in that format stands still.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trimtab.clip.length import as_real
from trimtab.optim.arithmetic import add_, ema_, ema_of_square_, plus
from trimtab.optim.update import Number, Scale, Update, Velocity

State = dict[str, Any]


def descend_(param: Tensor, grad: Tensor, state: State, update: Update) -> None:
    """`w ← w − lr · direction / scale`, out of `grad` and the state, which is begun where it is missing."""
    t = _count_(state, param, update)
    grad, work = as_real(grad.to(working_dtype(param))), as_real(param.to(working_dtype(param)))
    grad = _with_decay_(work, -grad if update.maximize else grad, update)
    scale = _scale_(grad, t, param, state, update.scale) if update.scale else None
    if update.velocity and update.velocity.of_scaled and scale is not None:
        grad, scale = grad / scale, None
    size = update.lr
    if update.velocity:
        grad, weight = _velocity_(grad, t, param, state, update.velocity)
        size = update.lr / weight
    _subtract_(work, grad, scale, size)
    if working_dtype(param) != param.dtype or (param.is_complex() and param.is_conj()):  # then `work` is a copy
        param.copy_(torch.view_as_complex(work) if param.is_complex() else work)


def working_dtype(param: Tensor) -> torch.dtype:
    """That of the step's arithmetic and of its state."""
    return torch.float32 if param.dtype in (torch.float16, torch.bfloat16) else param.dtype


def _count_(state: State, param: Tensor, update: Update) -> Number:
    """The number t of this step, from 1, as a tensor where the host must not know it."""
    if not update.counts:
        return 0
    if "step" not in state:
        wide = torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32
        state["step"] = torch.zeros((), dtype=wide, device=param.device if update.capturable else "cpu")
    state["step"] += 1
    if update.capturable or torch.compiler.is_compiling():
        return state["step"].double()  # 1 − 0.999ᵗ has five right digits in float32
    return state["step"].item()


def _with_decay_(work: Tensor, grad: Tensor, update: Update) -> Tensor:
    """Decay beside the step acts on the weights at once; coupled decay is a part of the gradient."""
    decay = update.weight_decay
    if not isinstance(decay, Tensor) and decay == 0:
        return grad
    if update.decoupled:
        work.mul_(1 - update.lr * decay)
        return grad
    return plus(grad, work, decay)


def _velocity_(grad: Tensor, t: Number, param: Tensor, state: State, velocity: Velocity) -> tuple[Tensor, Number]:
    """The direction, and the weight that it is to be divided by: less than 1 where a bias is corrected."""
    beta = velocity.beta
    if velocity.form == "torch":
        return _accumulation_(grad, param, state, velocity), 1.0
    average = _memory(state, "exp_avg", param)
    ema_(average, grad, beta)
    weight = 1 - beta**t if velocity.corrected else 1.0
    if not velocity.nesterov:
        return average, weight
    # one decay further the weights of all gradients sum to 1 − βᵗ⁺¹
    return plus(average * beta, grad, 1 - beta), 1 - beta ** (t + 1) if velocity.corrected else 1.0


def _accumulation_(grad: Tensor, param: Tensor, state: State, velocity: Velocity) -> Tensor:
    """The sum of torch begins as the gradient itself, undampened."""
    begun = state.get("momentum_buffer") is not None
    buffer = _memory(state, "momentum_buffer", param)
    if begun:
        add_(buffer.mul_(velocity.beta), grad, 1 - velocity.dampening)
    else:
        buffer.copy_(grad)
    return plus(grad, buffer, velocity.beta) if velocity.nesterov else buffer


def _scale_(grad: Tensor, t: Number, param: Tensor, state: State, scale: Scale) -> Tensor:
    """The divisor of the direction."""
    square = _memory(state, scale.key, param)
    ema_of_square_(square, grad, scale.beta)
    weight = 1 - scale.beta**t if scale.corrected else 1.0
    if scale.amsgrad:
        largest = _memory(state, "max_exp_avg_sq", param)
        square = torch.maximum(largest, square, out=largest)
    if scale.centered:
        mean = _memory(state, "grad_avg", param)
        ema_(mean, grad, scale.beta)
        square, weight = _centred(square, mean, weight), 1.0
    return _root(square, weight, scale)


def _centred(square: Tensor, mean: Tensor, weight: Number) -> Tensor:
    """`s − m²`, which rounding may bring below zero where the gradient hardly changes."""
    if isinstance(weight, Tensor) or weight != 1:
        square, mean = square / weight, mean / weight
    return square.addcmul(mean, mean, value=-1).clamp_(min=0)


def _root(square: Tensor, weight: Number, scale: Scale) -> Tensor:
    """`√(s/weight) + ε`, or ε inside the root."""
    if scale.eps_inside:
        return (square / weight).add_(scale.eps).sqrt_()
    root = square.sqrt()
    return (root / weight**0.5 if scale.corrected else root).add_(scale.eps)


def _subtract_(work: Tensor, direction: Tensor, scale: Tensor | None, size: Number) -> None:
    """`w ← w − size · direction / scale`."""
    if isinstance(size, Tensor):
        work.sub_((direction if scale is None else direction / scale) * size)
    elif scale is None:
        work.add_(direction, alpha=-size)
    else:
        work.addcdiv_(direction, scale, value=-size)


def _memory(state: State, key: str, param: Tensor) -> Tensor:
    """The state's tensor of that name as reals, zeros where there is none yet."""
    if state.get(key) is None:
        state[key] = torch.zeros_like(param, dtype=working_dtype(param), memory_format=torch.preserve_format)
    return as_real(state[key])
