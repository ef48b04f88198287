"""A normalisation and its gradients of any tensor: by the native core where it takes one, else by plain operations."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.nn import fused
from trimtab.nn.arithmetic import Statistics, input_gradient, size, standardize, widen
from trimtab.nn.plan import Plan, normalize

Results = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # y, shift, rest, rstd, deviation
Gradients = tuple[Tensor, Tensor, Tensor]


def forward(x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan) -> Results:
    """y, laid out as x; the statistics, and s of batch norm."""
    done = fused.forward(x, weight, bias, plan)
    if done is None:
        y, statistics, deviation = normalize(x, weight, bias, plan)
        done = torch.empty_like(x).copy_(y), statistics, deviation
    y, (shift, rest, rstd), deviation = done
    return y, shift, rest, rstd, deviation if plan.of_channels(x) else rstd.new_empty(0)


def backward(dy: Tensor, x: Tensor, weight: Tensor | None, statistics: Statistics, plan: Plan) -> Gradients:
    """By x, laid out as x, and by weight and bias, in the type and shape of their sums."""
    done = fused.backward(dy, x, weight, statistics, plan)
    if done is not None:
        return done
    wide, normal = widen(dy), standardize(x, statistics)
    zero = torch.zeros_like(statistics.rstd)
    g, n, divisor = wide if weight is None else wide * weight, size(x, plan.dims), plan.divisor(x)
    dx = input_gradient(g, normal, statistics.rstd, (zero, zero), plan.dims, n, divisor)
    dweight, dbias = (v.sum(plan.batch_dims) if plan.batch_dims else v.clone() for v in (wide * normal, wide))
    return torch.empty_like(x).copy_(dx), dweight, dbias


def differentiable(
    dy: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan
) -> list[Tensor | None]:
    """The gradients by x, weight and bias as functions of all, for a second derivative; None where not asked for."""
    y = normalize(x, along(weight, x, plan), along(bias, x, plan), plan)[0]
    wanted = [value for value in (x, weight, bias) if value is not None and value.requires_grad]
    found = iter(torch.autograd.grad(y, wanted, dy, create_graph=True))
    return [next(found) if value is not None and value.requires_grad else None for value in (x, weight, bias)]


def along(parameter: Tensor | None, x: Tensor, plan: Plan) -> Tensor | None:
    """The parameter shaped to go with x."""
    shape = [1 if d in plan.batch_dims else n for d, n in enumerate(x.shape)]
    return None if parameter is None else parameter.reshape(shape)


def as_parameter(parameter: Tensor | None, gradient: Tensor) -> Tensor | None:
    """The gradient in shape and type of the parameter, where there is one."""
    return None if parameter is None else gradient.reshape(parameter.shape).to(parameter.dtype)
