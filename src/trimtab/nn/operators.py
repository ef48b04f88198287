"""The normalisations as operators of torch, which a compiled graph calls in place of plain operations.

`torch.ops.trimtab.layer_norm` and `batch_norm` take any tensor on any device: what the native core does not take, plain
operations do. They are there once `trimtab.nn` is imported, are differentiable twice, and refuse forward mode and
`torch.func`, for which the functions of `trimtab.nn.functional` are. Statistics are results beside y, and constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from trimtab.nn import anywhere, fused
from trimtab.nn.anywhere import Gradients, Results
from trimtab.nn.arithmetic import Statistics, widen
from trimtab.nn.plan import Plan

LIBRARY = torch.library.Library("trimtab", "FRAGMENT")
COMPILED = (torch.Tag.pt2_compliant_tag,)


def compiled(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, plan: Plan
) -> tuple[Tensor, Statistics, Tensor] | None:
    """As `normalize`, by an operator; None where a compiled graph is better off with plain operations.

    That is where the native core would not take the tensors, as the compiler then fuses plain operations; inside a
    function transform; and in an exported program, which is to run where there is no trimtab.
    """
    given = [value for value in (x, weight, bias) if value is not None]
    if not all(value.device.type == "cpu" and value.dtype in fused.DTYPES for value in given):
        return None
    if torch.compiler.is_exporting() or not _can_be_called():
        return None
    if plan.of_channels(x):
        y, *statistics, deviation = torch.ops.trimtab.batch_norm(x, weight, bias, plan.eps, plan.correction)
    else:
        options = len(plan.dims), plan.eps, plan.correction
        y, *statistics, deviation = torch.ops.trimtab.layer_norm(x, weight, bias, *options)
    return y, Statistics(*statistics), deviation


@torch.compiler.assume_constant_result
def _can_be_called() -> bool:
    return fused.native.available() and not _transforming()


def _transforming() -> bool:
    """Whether this is inside a transform of torch.func."""
    return torch._C._functorch.peek_interpreter_stack() is not None  # pyright: ignore[reportAttributeAccessIssue]


def layer_plan(x: Tensor, features: int, eps: float, correction: int) -> Plan:
    """Statistics of the last dimensions, parameters shared by the others."""
    first = x.ndim - features
    return Plan(tuple(range(first, x.ndim)), tuple(range(first)), eps, correction)


def batch_plan(x: Tensor, eps: float, correction: int) -> Plan:
    """Statistics of all dimensions but 1, which share parameters."""
    dims = (0, *range(2, x.ndim))
    return Plan(dims, dims, eps, correction)


def _define(name: str, options: str, plan_of: Callable[..., Plan]) -> None:
    """`trimtab::name(x, weight, bias, …)` and `trimtab::name_backward(dy, x, weight, shift, rest, rstd, …)`.

    The gradients of weight and bias are sums, of the features' shape, in float32 for shorter formats.
    """
    of_x, of_dy = "Tensor x, Tensor? weight, Tensor? bias", "Tensor dy, Tensor x, Tensor? weight"
    statistics = "Tensor shift, Tensor rest, Tensor rstd"
    LIBRARY.define(f"{name}({of_x}, {options}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)", tags=COMPILED)
    LIBRARY.define(f"{name}_backward({of_dy}, {statistics}, {options}) -> (Tensor, Tensor, Tensor)", tags=COMPILED)
    operator, reverse = getattr(torch.ops.trimtab, name), getattr(torch.ops.trimtab, f"{name}_backward")

    def forward(x: Tensor, weight: Tensor | None, bias: Tensor | None, *given: Any) -> Results:
        plan = plan_of(x, *given)
        return anywhere.forward(x, anywhere.along(weight, x, plan), anywhere.along(bias, x, plan), plan)

    def backward(dy: Tensor, x: Tensor, weight: Tensor | None, *given: Any) -> Gradients:
        plan = plan_of(x, *given[3:])
        return anywhere.backward(dy, x, anywhere.along(weight, x, plan), Statistics(*given[:3]), plan)

    def results(x: Tensor, weight: Tensor | None, bias: Tensor | None, *given: Any) -> Results:
        plan, wide = plan_of(x, *given), widen(x.new_empty(0)).dtype
        shape = [1 if d in plan.dims else n for d, n in enumerate(x.shape)]
        shift, rest, rstd, deviation = (x.new_empty(shape, dtype=wide) for _ in range(4))
        return torch.empty_like(x), shift, rest, rstd, deviation if plan.of_channels(x) else x.new_empty(0, dtype=wide)

    def gradients(dy: Tensor, x: Tensor, weight: Tensor | None, *given: Any) -> Gradients:
        plan, wide = plan_of(x, *given[3:]), widen(x.new_empty(0)).dtype
        shape = [n for d, n in enumerate(x.shape) if d not in plan.batch_dims]
        return torch.empty_like(x), x.new_empty(shape, dtype=wide), x.new_empty(shape, dtype=wide)

    class Node(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Results:
            with torch._C._AutoDispatchBelowAutograd():
                output = operator(*given)
            ctx.save_for_backward(*given[:3], *output[1:4])
            ctx.options = given[3:]
            ctx.mark_non_differentiable(*output[1:])
            ctx.set_materialize_grads(False)
            return output

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
            (x, weight, bias, *statistics), dy = ctx.saved_tensors, gradients[0]
            none = [None] * len(ctx.options)
            if dy is None:
                return None, None, None, *none
            if torch.is_grad_enabled():  # a second derivative needs the statistics as functions of x
                return *anywhere.differentiable(dy, x, weight, bias, plan_of(x, *ctx.options)), *none
            dx, *sums = reverse(dy, x, weight, *statistics, *ctx.options)
            return (
                dx,
                *(anywhere.as_parameter(one, total) for one, total in zip((weight, bias), sums, strict=True)),
                *none,
            )

    def differentiable(*given: Any) -> Results:
        _refuse_forward_mode(name, given[:3])
        if torch.is_grad_enabled() and any(value is not None and value.requires_grad for value in given[:3]):
            return Node.apply(*given)
        with torch._C._AutoDispatchBelowAutograd():
            return operator(*given)

    LIBRARY.impl(name, forward, "CompositeExplicitAutograd")
    LIBRARY.impl(f"{name}_backward", backward, "CompositeExplicitAutograd")
    torch.library.register_fake(f"trimtab::{name}", results, lib=LIBRARY)
    torch.library.register_fake(f"trimtab::{name}_backward", gradients, lib=LIBRARY)
    LIBRARY.impl(name, differentiable, "Autograd")


def _refuse_forward_mode(name: str, given: Sequence[Tensor | None]) -> None:
    """What torch would otherwise do is to pass tangents over in silence."""
    duals = forward_ad._current_level >= 0 and any(
        forward_ad.unpack_dual(value).tangent is not None for value in given if value is not None
    )
    if duals or _transforming():
        raise RuntimeError(
            f"trimtab::{name} is neither for forward mode nor for torch.func: trimtab.nn.functional.{name} is for both"
        )


_define("layer_norm", "int features, float eps, int correction", layer_plan)
_define("batch_norm", "float eps, int correction", batch_plan)
