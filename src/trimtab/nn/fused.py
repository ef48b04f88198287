"""Kernels in place of plain operations: one pass over memory each way, where they can take a tensor.

The native core's on the CPU, Triton's on a GPU; both have the same faces.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import batch_norm, layer_norm, native
from trimtab.kernels.triton import presence
from trimtab.nn.arithmetic import Statistics

if TYPE_CHECKING:
    from trimtab.nn.plan import Plan

# In float64 the kernels' variance overflows beyond 1e150, which plain operations scale away.
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


class Kernels(NamedTuple):
    """Modules with `forward` and `backward`, and `evaluate` of batch norm."""

    batch_norm: ModuleType
    layer_norm: ModuleType


def kernels_for(*given: Tensor | None) -> Kernels | None:
    """Those that may read all of these; None where one is on another device, or only stands for others."""
    tensors = [value for value in given if value is not None]
    device = tensors[0].device
    if not all(value.device == device and _is_memory(value) for value in tensors):
        return None
    if device.type == "cpu" and native.available():
        return Kernels(batch_norm, layer_norm)
    if not presence.takes(device):
        return None
    from trimtab.kernels.triton import batch_norm as batch_norm_on_device
    from trimtab.kernels.triton import layer_norm as layer_norm_on_device

    return Kernels(batch_norm_on_device, layer_norm_on_device)


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan
) -> tuple[Tensor, Statistics, Tensor] | None:
    """As `plan.normalize`, without the s of a layer norm, which nobody asks for; None: not here."""
    kernels = kernels_for(x, weight, bias)
    if kernels is None:
        return None
    if plan.of_channels(x):
        done = kernels.batch_norm.forward(x, weight, bias, plan.eps, plan.correction)
        return None if done is None else (done.y, Statistics(done.shift, done.rest, done.rstd), done.deviation)
    done = kernels.layer_norm.forward(x, weight, bias, len(plan.dims), plan.eps, plan.correction)
    return None if done is None else (done.y, Statistics(done.shift, done.rest, done.rstd), done.y.new_empty(0))


def backward(
    dy: Tensor, x: Tensor, weight: Tensor | None, statistics: Statistics, plan: Plan
) -> tuple[Tensor, Tensor, Tensor] | None:
    """∂L/∂x and, in the type of the sums, those of γ and κ; None: not here."""
    kernels = kernels_for(dy, x, weight)
    if kernels is None:
        return None
    if plan.of_channels(x):
        return kernels.batch_norm.backward(dy, x, weight, statistics, plan.correction)
    return kernels.layer_norm.backward(dy, x, weight, statistics, len(plan.dims), plan.correction)


def evaluate(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor | None:
    """Batch norm by given estimates where no gradient is asked for; None: not here."""
    if torch.compiler.is_compiling() or torch.is_grad_enabled():
        return None
    kernels = kernels_for(x, mean, variance, weight, bias)
    return None if kernels is None else kernels.batch_norm.evaluate(x, mean, variance, weight, bias, eps)


def _is_memory(x: Tensor) -> bool:
    """Whether this is memory that a kernel may read, and no tensor that only stands for others."""
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # pyright: ignore[reportAttributeAccessIssue]
    return type(x) in (Tensor, torch.nn.Parameter) and x.dtype in DTYPES and not wrapped(x)
