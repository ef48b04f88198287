"""Batch and layer normalisation as nodes of the autograd graph that keep x and its statistics and nothing else.

The statistics are outputs of the node beside y: a second derivative, which needs them as functions of x, gets them so.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.nn import fused
from trimtab.nn.arithmetic import (
    Dims,
    Statistics,
    input_gradient,
    measure,
    parameter_gradient,
    scale_and_shift,
    size,
    standardize,
    tangent,
    tangent_of_scaled,
    widen,
)


class Plan(NamedTuple):
    """Over which dimensions statistics are taken, over which parameters are shared, ε, and what n is lessened by."""

    dims: Dims
    batch_dims: Dims
    eps: float
    correction: int

    def of_channels(self, x: Tensor) -> bool:
        """Whether the statistics are of dimension 1, as in batch normalisation, or of the last dimensions."""
        return x.ndim > 1 and 0 in self.dims and 1 not in self.dims

    def divisor(self, x: Tensor) -> int:
        """Of the variance of x."""
        return size(x, self.dims) - self.correction


def normalize(x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan) -> tuple[Tensor, Statistics, Tensor]:
    """`γ x̂ + κ` in plain operations, with the statistics and s. The compiler differentiates and fuses these itself."""
    centred, statistics, deviation = measure(x, plan.dims, plan.eps, plan.divisor(x))
    y = scale_and_shift(centred * statistics.rstd, weight, bias).to(x.dtype)
    return y, statistics, deviation


class Normalization(torch.autograd.Function):
    """`normalize` with its derivatives written out. Its subclasses give the node in the graph its name."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan) -> tuple[Tensor, ...]:
        y, statistics, deviation = fused.forward(x, weight, bias, plan) or normalize(x, weight, bias, plan)
        return y, *statistics, deviation

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, weight, bias, ctx.plan = inputs
        _, shift, rest, rstd, deviation = output
        ctx.mark_non_differentiable(shift, deviation)
        ctx.set_materialize_grads(False)  # no gradient of the statistics: a first derivative, which the core knows
        ctx.save_for_backward(x, weight, bias, shift, rest, rstd)
        ctx.save_for_forward(x, weight, bias, shift, rest, rstd)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, *statistics = ctx.saved_tensors
        dy, _, g_rest, g_rstd, _ = gradients
        plan: Plan = ctx.plan
        if dy is not None and g_rest is None and g_rstd is None and not torch.is_grad_enabled():
            done = fused.backward(dy, x, weight, Statistics(*statistics), plan)
            if done is not None:
                return done[0], _as(weight, done[1]), _as(bias, done[2]), None
        rest, rstd = statistics[1:]
        g_rest, g_rstd = _zeros(g_rest, rest), _zeros(g_rstd, rstd)
        dy, normal = widen(_zeros(dy, x)), standardize(x, Statistics(*statistics))
        dx = dweight = dbias = None
        if ctx.needs_input_grad[0]:
            g = dy if weight is None else dy * weight
            n, divisor = size(x, plan.dims), plan.divisor(x)
            dx = input_gradient(g, normal, statistics[-1], (g_rest, g_rstd), plan.dims, n, divisor).to(x.dtype)
        if weight is not None and ctx.needs_input_grad[1]:
            dweight = parameter_gradient(dy * normal, weight, plan.batch_dims)
        if bias is not None and ctx.needs_input_grad[2]:
            dbias = parameter_gradient(dy, bias, plan.batch_dims)
        return dx, dweight, dbias, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor | None, ...]:
        x, weight, _, *saved = ctx.saved_tensors
        statistics, plan = Statistics(*saved), ctx.plan
        normal = standardize(x, statistics)
        x_t = torch.zeros_like(x) if tangents[0] is None else tangents[0]
        n, divisor = size(x, plan.dims), plan.divisor(x)
        normal_t, rest_t, rstd_t = tangent(x_t, normal, statistics.rstd, plan.dims, n, divisor)
        return tangent_of_scaled(normal, normal_t, weight, *tangents[1:3]).to(x.dtype), None, rest_t, rstd_t, None


def _zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    """The gradient; zero for what the result does not depend on."""
    return torch.zeros_like(like) if gradient is None else gradient


def _as(parameter: Tensor | None, gradient: Tensor) -> Tensor | None:
    """In the shape and type of the parameter, where there is one."""
    return None if parameter is None else gradient.reshape(parameter.shape).to(parameter.dtype)


class BatchNorm(Normalization):
    """`BatchNormBackward` in the graph."""


class LayerNorm(Normalization):
    """`LayerNormBackward` in the graph."""


def apply(
    node: type[Normalization], x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan
) -> tuple[Tensor, Statistics, Tensor]:
    """`normalize` as a node of the graph; plain for the compiler, which takes no hand-written forward derivative."""
    if torch.compiler.is_compiling():
        return normalize(x, weight, bias, plan)
    y, shift, rest, rstd, deviation = node.apply(x, weight, bias, plan)
    return y, Statistics(shift, rest, rstd), deviation
