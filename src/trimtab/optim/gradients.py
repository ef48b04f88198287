"""What a step reads in place of `p.grad`: the gradient unscaled and clipped. The gradient itself is left as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import Tensor

from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.optim.tensor_step import working_dtype

Clip = ClipByNorm | ClipByValue


def measure(groups: Sequence[Mapping[str, Any]], clip: ClipByNorm, scale: Tensor | None) -> tuple[Tensor, list[Tensor]]:
    """The norms to report, and for each gradient in turn the one that it is clipped by; both unscaled."""
    grads = [[cast(Tensor, p.grad) for p in group["params"] if p.grad is not None] for group in groups]
    reported, norms = clip.measure(grads)
    if scale is None:
        return reported, norms
    return reported / scale.to(reported.device), [norm / scale.to(norm.device) for norm in norms]


def prepared(param: Tensor, norm: Tensor | None, clip: Clip | None, scale: Tensor | None) -> Tensor:
    """The gradient unscaled and clipped, in memory of its own where that changes it, and then in the working dtype."""
    grad = cast(Tensor, param.grad)
    if scale is not None:
        grad = grad.to(working_dtype(param)) / scale.to(grad.device)
    if isinstance(clip, ClipByNorm) and norm is not None:
        return clip.shorten(grad.to(working_dtype(param)), norm)
    return clip.bound(grad) if isinstance(clip, ClipByValue) else grad
