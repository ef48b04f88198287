"""What the ranks of a process group tell each other, so that compilation, `torch.func` and derivatives go through it.

Each of these is a collective: every rank must come by it, and so every rank must ask for the same derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn.arithmetic import measure, size
from trimtab.nn.batch import single_value


@torch.no_grad()
def gather_moments(x: Tensor, group: Any) -> Moments:
    """Of every channel over all ranks of the group, merged in float64; an empty batch takes part with n = 0."""
    own = torch.stack(_own_moments(x.detach()))
    parts = _gather(own, group) if torch.compiler.is_compiling() else Gathered.apply(own, group)
    return reduce(Moments.merge, (Moments(*part) for part in parts))


def _own_moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if x.numel() == 0:
        zero = x.new_zeros(x.shape[1], dtype=torch.float64)
        return zero, zero, zero
    dims = (0, *range(2, x.ndim))
    n = size(x, dims)
    _, (shift, rest, _), deviation = measure(x, dims, 0.0, n)
    shift, rest, deviation = (part.flatten().double() for part in (shift, rest, deviation))
    return torch.full_like(shift, n), shift + rest, deviation.square() * n


def _gather(own: Tensor, group: Any) -> Tensor:
    parts = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
    dist.all_gather(parts, own, group=group)
    return torch.stack(parts)


@torch.library.custom_op("trimtab::more_than_one", mutates_args=(), schema="(Tensor n, SymInt[] size) -> Tensor")
def more_than_one(n: Tensor, size: Sequence[int]) -> Tensor:
    """The count n again, unless it is 1: an operation of its own, as a compiled graph cannot look at it otherwise."""
    if int(n.flatten()[0]) == 1:
        raise single_value(size)
    return n.clone()


@more_than_one.register_fake
def _(n: Tensor, size: Sequence[int]) -> Tensor:
    return torch.empty_like(n)


class Gathered(torch.autograd.Function):
    """All ranks' tensors, one below the other; a constant to every derivative."""

    @staticmethod
    def forward(own: Tensor, group: Any) -> Tensor:
        return _gather(own.contiguous(), group)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> tuple[Tensor, int]:
        return Gathered.apply(*inputs), in_dims[0] + 1


class Total(torch.autograd.Function):
    """The sum over all ranks; each rank's part moves every rank's sum, so that its derivative is that sum again."""

    @staticmethod
    def forward(part: Tensor, group: Any) -> Tensor:
        whole = part.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(whole, group=group)
        return whole

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.group = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Total.apply(gradient, ctx.group), None

    @staticmethod
    def jvp(ctx: Any, part_t: Tensor, _: None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Total.apply(part_t, ctx.group)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> tuple[Tensor, int]:
        return Total.apply(*inputs), in_dims[0]


class KnownTotal(torch.autograd.Function):
    """A sum over all ranks whose value is known already: only its derivative asks the other ranks.

    For the compiler, which differentiates once and takes no `jvp`.
    """

    @staticmethod
    def forward(value: Tensor, part: Tensor, group: Any) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, _, ctx.group = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        whole = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(whole, group=ctx.group)
        return None, whole, None
