"""The native core in place of plain operations: one pass over memory each way, where the core can take a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trimtab.kernels import batch_norm, layer_norm, native
from trimtab.nn.arithmetic import Statistics

if TYPE_CHECKING:
    from trimtab.nn.plan import Plan

# In float64 the core's variance overflows beyond 1e150, which plain operations scale away.
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def takes(x: Tensor) -> bool:
    """Whether this is memory that the core may read, and no tensor that only stands for others."""
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # pyright: ignore[reportAttributeAccessIssue]
    plain = type(x) in (Tensor, torch.nn.Parameter) and x.device.type == "cpu" and x.dtype in DTYPES
    return plain and not wrapped(x) and native.available()


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan
) -> tuple[Tensor, Statistics, Tensor] | None:
    """As `plan.normalize`, without the s of a layer norm, which nobody asks for; None: not here."""
    if not all(takes(value) for value in (x, weight, bias) if value is not None):
        return None
    if plan.of_channels(x):
        done = batch_norm.forward(x, weight, bias, plan.eps, plan.correction)
        return None if done is None else (done.y, Statistics(done.shift, done.rest, done.rstd), done.deviation)
    done = layer_norm.forward(x, weight, bias, len(plan.dims), plan.eps, plan.correction)
    return None if done is None else (done.y, Statistics(done.shift, done.rest, done.rstd), done.y.new_empty(0))


def backward(
    dy: Tensor, x: Tensor, weight: Tensor | None, statistics: Statistics, plan: Plan
) -> tuple[Tensor, Tensor, Tensor] | None:
    """∂L/∂x and, in the type of the sums, those of γ and κ; None: not here."""
    if not all(takes(value) for value in (dy, x, weight) if value is not None):
        return None
    if plan.of_channels(x):
        return batch_norm.backward(dy, x, weight, statistics, plan.correction)
    return layer_norm.backward(dy, x, weight, statistics, len(plan.dims), plan.correction)


def evaluate(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor | None:
    """Batch norm by given estimates where no gradient is asked for; None: not here."""
    given = [value for value in (x, mean, variance, weight, bias) if value is not None]
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or not all(map(takes, given)):
        return None
    return batch_norm.evaluate(x, mean, variance, weight, bias, eps)
