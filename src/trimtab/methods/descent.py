"""Descent: w ← w − α · direction / scale. SGD, momentum, RMSProp and Adam are four settings of it.

|          | direction          | scale       |
|----------|--------------------|-------------|
| SGD      | g                  | 1           |
| momentum | v, the EMA of g    | 1           |
| RMSProp  | g                  | √ EMA of g² |
| Adam     | v, the EMA of g    | √ EMA of g² |
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Memory(NamedTuple):
    """What a step hands to the next: `velocity` v, `square` s, and `k`, the number of steps done."""

    velocity: Tensor | float = 0.0
    square: Tensor | float = 0.0
    k: int = 0


START = Memory()


def descend(
    w: Tensor,
    g: Tensor,
    memory: Memory = START,
    *,
    lr: float,
    beta1: float = 0.0,
    beta2: float | None = None,
    eps: float = 1e-8,
    eps_inside: bool = False,
    corrected: bool = False,
) -> tuple[Tensor, Memory]:
    """One step of any of the four: `w ← w − α v / scale`, and what the next step needs.

    `v ← β₁ v + (1−β₁) g`, which for β₁ = 0 is g itself; `s ← β₂ s + (1−β₂) g²`, and scale `√s + ε` (or `√(s + ε)`),
    which without β₂ is 1. `corrected` takes `v / (1 − β₁^{k+1})` and `s / (1 − β₂^{k+1})` in their place.

    >>> w, g = torch.tensor([1.0]), torch.tensor([0.5])
    >>> descend(w, g, lr=0.1)[0]  # SGD
    tensor([0.9500])
    >>> descend(w, g, lr=0.1, beta1=0.9, beta2=0.999, corrected=True)[0]  # Adam: the first step has length α
    tensor([0.9000])

    Differs from torch: momentum is an average of g and not a sum; Adam's correction is an option.
    Source: Robbins and Monro (1951); Polyak (1964); Tieleman and Hinton, RMSProp (2012, lecture 6.5); Kingma and Ba,
    Adam (2015, arXiv:1412.6980).
    """
    v = velocity(memory.velocity, g, beta1)
    v_hat = correct(v, beta1, memory.k) if corrected else v
    if beta2 is None:
        return w - lr * v_hat, Memory(v, memory.square, memory.k + 1)
    s = mean_square(memory.square, g, beta2)
    s_hat = correct(s, beta2, memory.k) if corrected else s
    return w - lr * v_hat / root(s_hat, eps, inside=eps_inside), Memory(v, s, memory.k + 1)


def velocity(v: Tensor | float, g: Tensor, beta: float) -> Tensor:
    """The direction as an average: `β v + (1−β) g`, from v = 0."""
    return beta * v + (1 - beta) * g


def accumulation(b: Tensor | None, g: Tensor, beta: float, dampening: float = 0.0) -> Tensor:
    """The direction as torch accumulates it: `β b + (1−τ) g`, and g itself at the first step, where `b` is None.

    `dampening` is τ. With τ = 0 it is the velocity over 1−β: the same path at a learning rate `1−β` times as large.
    """
    return g if b is None else beta * b + (1 - dampening) * g


def look_ahead(direction: Tensor, g: Tensor, beta: float, weight: float = 1.0) -> Tensor:
    """Nesterov's direction, one decay further: `β d + weight · g`; weight 1−β for a velocity, 1 for an accumulation.

    Source: Nesterov (1983); in this form Sutskever, Martens, Dahl and Hinton (2013).
    """
    return beta * direction + weight * g


def mean_square(s: Tensor | float, g: Tensor, beta: float) -> Tensor:
    """The squared scale: `β s + (1−β) g²`, from s = 0."""
    return beta * s + (1 - beta) * g * g


def centre(s: Tensor, mean: Tensor) -> Tensor:
    """The squared scale about the mean gradient: `max(s − m², 0)`, both of them EMAs with one β, both corrected or not.

    Source: Graves, Generating sequences with recurrent neural networks (2013, arXiv:1308.0850).
    """
    return (s - mean * mean).clamp(min=0)


def correct(average: Tensor, beta: float, k: int) -> Tensor:
    """An EMA from 0 without its bias: `average / (1 − β^{k+1})` after the step k, counted from 0.

    >>> correct(velocity(0.0, torch.tensor(3.0), 0.9), 0.9, 0)  # the first is the observation itself
    tensor(3.)
    """
    return average / (1 - beta ** (k + 1))


def root(s: Tensor, eps: float, *, inside: bool = False) -> Tensor:
    """The scale: `√s + ε`, or `√(s + ε)` with ε inside."""
    return torch.sqrt(s + eps) if inside else torch.sqrt(s) + eps


def decay_weights(w: Tensor, lr: float, rate: float) -> Tensor:
    """Decoupled weight decay: `w − α λ w`, beside the step; coupled decay adds `λ w` to g before it.

    Source: Loshchilov and Hutter (2019, arXiv:1711.05101).
    """
    return w - lr * rate * w
