"""Clip by norm: a gradient that is too long is shortened and keeps its direction; a short one keeps every bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor

from trimtab.clip.gradients import gradients, replace_
from trimtab.clip.length import as_real, length, together

Over = Literal["all", "group", "parameter"]
SMALL = 1e-30  # a smaller factor is applied in two: float32 would round it, or make it 0


@dataclass(frozen=True)
class ClipByNorm:
    """`g ← c g / ‖g‖₂` where ‖g‖₂ > c, else g as it is: the `clip=` of an optimizer.

    `max_norm` is c, in the gradient's unit; inf only measures. `over` says whose norm: that of all gradients as one
    vector, of each parameter group's, or of each parameter's alone.

    A NaN gradient makes all that share its norm NaN: let the optimizer's `on_nonfinite` stop it.
    Differs from torch, which scales by min(1, c / (‖g‖₂ + 1e-6)): it shortens a gradient of length c, too.
    Source: Pascanu, Mikolov and Bengio (2013, arXiv:1211.5063).
    """

    max_norm: float
    over: Over = "all"

    def __post_init__(self) -> None:
        if not self.max_norm >= 0:
            raise ValueError(f"max_norm is a length and cannot be {self.max_norm}: give a number >= 0")
        if self.over not in get_args(Over):
            raise ValueError(f'over is "all", "group" or "parameter", not {self.over!r}')

    def measure(self, groups: Sequence[Sequence[Tensor]]) -> tuple[Tensor, list[Tensor]]:
        """The norms before clipping, as they are reported, and for each gradient in turn the one that it is judged by.

        Reported is a scalar over all, else one number a group or one a gradient.
        """
        each = [[length([g]) for g in group] for group in groups]
        if self.over == "parameter":
            norms = [norm for group in each for norm in group]
            return _column(norms), norms
        whole = [_together(group) for group in each]
        if self.over == "group":
            return _column(whole), [norm for norm, group in zip(whole, each, strict=True) for _ in group]
        total = _together([norm for group in each for norm in group])
        return total, [total for group in each for _ in group]

    def shorten(self, gradient: Tensor, norm: Tensor) -> Tensor:
        """The gradient times `c / norm` where `norm` is greater than c, else times 1, which changes no bit."""
        # NaN compares false and so gets a NaN factor: what cannot be judged is not passed off as short
        factor = torch.where(norm <= self.max_norm, 1.0, self.max_norm / norm).to(gradient.device)
        first = factor.clamp(min=SMALL)
        # a complex gradient times 1 + 0i would turn −0 into 0 and inf into NaN
        shortened = as_real(gradient) * first * (factor / first)
        return torch.view_as_complex(shortened) if gradient.is_complex() else shortened


def by_norm_(
    parameters: Tensor | Iterable[Tensor] | Iterable[dict[str, Any]],
    max_norm: float,
    *,
    over: Over = "all",
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Shortens the gradients in place where they are longer than `max_norm`: `g ← c g / ‖g‖₂` where ‖g‖₂ > c.

    `parameters` are tensors, or an optimizer's `param_groups`. Returns the norm before clipping in float64: a scalar,
    or one number a group (`over="group"`) or one a parameter with a gradient (`over="parameter"`).
    Raises RuntimeError on a sparse gradient, and with `error_if_nonfinite` on an infinite or NaN norm, before any
    gradient is changed.

    >>> w = torch.nn.Parameter(torch.zeros(2))
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> by_norm_([w], 1.0), w.grad
    (tensor(5., dtype=torch.float64), tensor([0.6000, 0.8000]))

    Differs from torch's `clip_grad_norm_` in that a short gradient keeps every bit and a norm cannot overflow.
    """
    clip = ClipByNorm(max_norm, over)
    groups = gradients(parameters)
    with torch.no_grad():
        reported, norms = clip.measure([[cast(Tensor, p.grad) for p in group] for group in groups])
        if error_if_nonfinite and not bool(torch.isfinite(reported).all()):
            raise RuntimeError(f"the norm of the gradients is {reported.tolist()}: they cannot be clipped by it")
        for p, norm in zip((p for group in groups for p in group), norms, strict=True):
            grad = cast(Tensor, p.grad)
            wide = grad.to(torch.promote_types(grad.dtype, torch.float32))  # a GPU would round the factor to float16
            replace_(p, clip.shorten(wide, norm).to(grad.dtype))
    return reported


def _together(lengths: Sequence[Tensor]) -> Tensor:
    """On the first one's device: a model may lie on several."""
    return together([norm.to(lengths[0].device) for norm in lengths])


def _column(norms: Sequence[Tensor]) -> Tensor:
    return torch.stack([norm.to(norms[0].device) for norm in norms]) if norms else torch.zeros(0, dtype=torch.float64)
