"""What a model's start does to the signal and to the gradient, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from trimtab.init.calls import Call, Trace
from trimtab.init.measuring import Activated, Measured, measure
from trimtab.init.running import tensors, unwrapped
from trimtab.init.verdict import Check, LayerCheck, problems_of


def check(model: nn.Module, example: Any, *, loss: Callable[[Any], Tensor] | None = None) -> Check:
    """Run the model forward and backward once and say whether its weights are a good start.

    Measured at the output φ_i of every linear, convolution, recurrent, attention and embedding layer: the forward scale
    RMS(φ_i), and the backward gain `M_i = ‖dL/dφ_{i−1}‖ / ‖dL/dφ_i‖`, whose product over the depth is what the first
    layer gets of the gradient. The norm is over the batch, not an RMS: what starts by fan-in keeps it whatever the
    widths, and so does pooling; the RMS stands beside it (`gain_rms`). The depth is that of the longest way through the
    model; layers side by side on it are taken together.

    The model is left as it was: weights, buffers, gradients, mode, hooks and the random state; not what its own code
    keeps in plain attributes. Batch norm uses the batch, unless it is frozen in evaluation mode; dropout is off.

    Args:
        model: any module; layers outside of modules, as a raw `x @ w`, have no row.
        example: a batch: a tensor, a tuple of positional or a mapping of keyword arguments, on the model's device.
        loss: maps the model's output to a number. Without it the upstream gradient is random, N(0, 1).

    Raises:
        RuntimeError: the model fails on the example; the message names the layer and the shapes. ValueError: it is on
            the meta device. TypeError: the model is no module, or its loss no tensor.

    Sources: Glorot & Bengio 2010, section 4; Saxe et al. 2014, arXiv:1312.6120.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> net = nn.Sequential(*(m for _ in range(9) for m in (nn.Linear(32, 32), nn.Sigmoid())))
    >>> found = check(net, torch.randn(64, 32))
    >>> found.passed, found.gain < 0.25
    (False, True)
    """
    model = unwrapped(model)
    if any(t.is_meta for t in (*model.parameters(), *tensors(example))):
        raise ValueError(
            "check: the model or the example is on the meta device and has no values; materialise it by "
            "to_empty(device=...) and initialise it first"
        )
    return judged(*measure(model, example, loss))


def judged(measured: dict[int, Measured], seen: Trace) -> Check:
    """The measurements as a table with a verdict."""
    rows = tuple(_row(call, measured, seen) for call in seen.calls)
    deepest = max(seen.calls, key=lambda call: (call.depth, call.index), default=None)
    way = [] if deepest is None else [rows[i] for i in sorted({*deepest.ancestors, deepest.index})]
    depths = sorted({row.depth for row in way})
    gradients = [_together(row.gradient for row in way if row.depth == d) for d in depths]
    forwards = [_together(row.forward for row in way if row.depth == d) for d in depths]
    product, growth = _ratio(gradients, first_over_last=True), _ratio(forwards, first_over_last=False)
    steps = max(len(depths) - 1, 1)
    problems = problems_of(rows, product, growth) + ([seen.unmeasured] if seen.unmeasured else [])
    gain = product ** (1 / steps) if product >= 0 else math.nan
    return Check(rows, len(depths), gain, product, growth, tuple(problems))


def _row(call: Call, measured: dict[int, Measured], seen: Trace) -> LayerCheck:
    here, after = measured[call.index], call.activated or Activated()
    nearest = max((seen.calls[i] for i in call.sources), key=lambda c: (c.depth, c.index), default=None)
    below = measured[nearest.index] if nearest is not None else Measured()
    activation = "·".join(call.names) or "linear"
    return LayerCheck(
        name=call.layer,
        depth=call.depth,
        activation=activation,
        forward=here.forward,
        activated=after.rms if call.names else here.forward,
        gradient=here.gradient,
        gain=_over(below.gradient, here.gradient),
        gain_rms=_over(below.gradient_rms, here.gradient_rms),
        dead=after.dead,
        saturated=after.saturated,
    )


def _together(numbers: Any) -> float:
    known = [n for n in numbers if not math.isnan(n)]
    return math.sqrt(sum(n * n for n in known)) if known else math.nan


def _ratio(numbers: list[float], first_over_last: bool) -> float:
    known = [n for n in numbers if not math.isnan(n)]
    if len(known) < 2:
        return 1.0 if known else math.nan
    return _over(known[0], known[-1]) if first_over_last else _over(known[-1], known[0])


def _over(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return math.nan
    return a / b if b else (math.nan if a == 0 else math.inf)
