"""One run of a model forward and backward, measured at every weight layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.init.calls import Call, Trace
from trimtab.init.layers import CONVS, TRANSPOSED, weight_layers
from trimtab.init.running import outputs
from trimtab.init.tracing import trace
from trimtab.init.untouched import SEED, untouched

_FLAT = 0.05  # of the largest slope
_SLOPES: dict[str, Callable[[Tensor], Tensor]] = {  # relative to the largest, from the output
    "sigmoid": lambda y: 4 * y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "softsign": lambda y: (1 - y.abs()).square(),
    "hardsigmoid": lambda y: ((y > 0) & (y < 1)).to(y.dtype),
}


@dataclass(slots=True)
class Measured:
    """Of the output of one call, NaN for what is not known: its RMS, norm and RMS of its gradient."""

    forward: float = math.nan
    gradient: float = math.nan
    gradient_rms: float = math.nan


@dataclass(frozen=True, slots=True)
class Activated:
    """Of what an activation makes of an output: its RMS, and the shares of dead units and of saturated numbers."""

    rms: float = math.nan
    dead: float = math.nan
    saturated: float = math.nan


def measure(
    model: nn.Module, example: Any, loss: Callable[[Any], Tensor] | None = None
) -> tuple[dict[int, Measured], Trace]:
    """One run forward and backward; the measurements by call."""
    measured: dict[int, Measured] = {}
    channelled = {n for n, m in weight_layers(model).items() if isinstance(m, (*CONVS, *TRANSPOSED))}

    def on_output(call: Call, z: Tensor) -> None:
        measured[call.index] = row = Measured(forward=_rms(z))
        if z.requires_grad:
            z.register_hook(lambda gradient: _note_gradient(row, gradient))

    def on_activation(call: Call, name: str, y: Tensor) -> Activated:
        if y.is_meta or not y.is_floating_point() or not y.numel():
            return Activated()
        return Activated(_rms(y), _dead(y, 1 if call.layer in channelled and y.dim() > 2 else -1), _saturated(y, name))

    with untouched(model), torch.enable_grad():
        seen = trace(model, example, on_output, on_activation)
        try:
            if not _backward(seen.output, loss) and seen.calls:
                seen.unmeasured = "no gradient was measured: nothing that the model returned depends on its weights"
        except RuntimeError as error:
            if "use_reentrant=True" not in str(error):
                raise
            seen.unmeasured = "no gradient was measured: checkpoint with use_reentrant=False"
        seen.output = None
    return measured, seen


def _backward(output: Any, loss: Callable[[Any], Tensor] | None) -> bool:
    """Send a gradient down without adding to any parameter's; False where there is nothing to send it from."""
    roots = [t for t in ([_number(loss, output)] if loss is not None else outputs(output)) if t.requires_grad]
    if not roots or any(t.is_meta for t in roots):
        return bool(roots)
    generator = torch.Generator("cpu").manual_seed(SEED)
    seeds = [torch.ones_like(t) if loss is not None else _random_like(t, generator) for t in roots]
    torch.autograd.grad(roots, _graph_leaves(roots), seeds, allow_unused=True)
    return True


def _number(loss: Callable[[Any], Tensor], output: Any) -> Tensor:
    made = loss(output)
    if not isinstance(made, Tensor):
        raise TypeError(f"check: the loss is a {type(made).__name__}; expected a tensor that depends on the output")
    return made


def _random_like(t: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(t.shape, generator=generator, device="cpu").to(t.device, t.dtype)


def _graph_leaves(roots: list[Tensor]) -> list[Tensor]:
    """The leaves below the roots that take a gradient."""
    seen: set[Any] = set()
    stack = [t.grad_fn for t in roots if t.grad_fn is not None]
    leaves: list[Tensor] = [t for t in roots if t.grad_fn is None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            leaves.append(leaf)
        stack.extend(child for child, _ in node.next_functions if child is not None)
    return leaves


def _note_gradient(row: Measured, gradient: Tensor) -> None:
    row.gradient = _norm(gradient)
    row.gradient_rms = row.gradient / math.sqrt(max(gradient.numel(), 1))


def _rms(x: Tensor) -> float:
    return math.nan if x.is_meta or not x.numel() else _norm(x) / math.sqrt(x.numel())


def _norm(x: Tensor) -> float:
    x = x.detach()
    return float(torch.linalg.vector_norm(x.abs() if x.is_complex() else x, dtype=torch.float64))


def _dead(y: Tensor, axis: int) -> float:
    """Share of units that are 0 on every example; the units lie along `axis`."""
    if y.dim() < 2:
        return float("nan")
    silent = (y == 0).movedim(axis, -1).flatten(0, -2).all(0)
    return float(silent.double().mean())


def _saturated(y: Tensor, name: str) -> float:
    """Share of numbers where the slope is flat; of functions that saturate on both sides."""
    return float((_SLOPES[name](y.double()) < _FLAT).double().mean()) if name in _SLOPES else math.nan
