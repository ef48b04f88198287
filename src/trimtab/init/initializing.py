"""One call that starts a whole model."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn
from torch.nn.parameter import is_lazy

from trimtab.init.calls import Trace
from trimtab.init.checking import judged
from trimtab.init.drawing import Generator
from trimtab.init.fans import fans
from trimtab.init.layers import is_norm, weight_layers
from trimtab.init.measuring import measure
from trimtab.init.report import LayerStart, Report
from trimtab.init.rules import Rules, matrices_first
from trimtab.init.running import forward, unwrapped
from trimtab.init.scaling import Scaled, rms_factor, scaled
from trimtab.init.schemes import SCHEMES, Scheme
from trimtab.init.targets import targets
from trimtab.init.untouched import untouched
from trimtab.init.uses import Activation, Use, in_definition_order, in_execution_order, marked_recurrent
from trimtab.init.variance import Mode
from trimtab.init.verdict import Check
from trimtab.init.writing import Writer
from trimtab.methods.initialize import lsuv_factor

Residual = Literal["scale", "zero", "none"]


def initialize(
    model: nn.Module,
    example: Any = None,
    scheme: Scheme = "auto",
    *,
    generator: Generator = None,
    mode: Mode = "fan_in",
    residual: Residual = "scale",
    activation: Activation = None,
    include_frozen: bool = False,
) -> Report:
    """Start all of a model's parameters at the scale that keeps signal and gradient: M ≈ 1 at step 0.

    `W ~ N(0, gain² / fan_in)`, gain = 1/√E[f(z)²] of the activation f that follows the layer, found by running the
    model on the example (functional activations, shared and residual layers included), else by the order of definition.
    The table of rules for the other layers stands in `trimtab.init.rules`. With an example, "auto" then multiplies each
    weight, in execution order, so that its layer's output has RMS 1 on the example (1/√N at the end of one of N
    residual branches): the formula alone drifts, 4 to 10 times over 30 GELU layers. "lsuv" starts from orthogonal
    weights and brings the variance to 1, as its paper does.

    Frozen parameters stay as they are, and the running estimates of frozen norm layers, unless `include_frozen`; those
    of the others start anew. Tied parameters start once, by the rule of the linear layer if there is one, and are not
    multiplied. Parameters of no known layer stay and are reported; so do those on the meta device (with an example on
    it the order is found all the same). A parametrised weight is set through its parametrisation; one that spectral
    norm divides by its norm keeps that norm. Gradients, mode and, with `generator`, the random state are untouched.

    Args:
        model: any module; a compiled or data-parallel one stands for what it wraps.
        example: a batch as the model takes it: a tensor, a tuple of positional or a mapping of keyword arguments.
        scheme: for linear, bilinear and convolution weights; the rules are the same for all else.
        generator: draws come from it alone; the same generator state gives the same weights.
        mode: of the Kaiming schemes: "fan_in" keeps the signal, "fan_out" the gradient.
        residual: the end of a residual branch (its last norm's γ, else its last weight) times 1/√N, N the number of
            branches ("scale": Radford et al. 2019); at 0, so that blocks start as the identity ("zero": Goyal et al.
            2017, arXiv:1706.02677; Zhang et al. 2019, arXiv:1901.09321); or as any other ("none", and so in "lsuv").
        activation: what follows a layer where no example is given and the definition shows nothing: functional calls.
        include_frozen: start parameters that require no gradient too.

    Raises:
        TypeError: the model is no module, the generator no generator. ValueError: an unknown scheme, mode or residual;
            lazy layers without an example; a parametrisation that takes no value. RuntimeError: the model fails on the
            example.

    Differs from torch: layers' own `reset_parameters` draw U(−1/√fan_in, 1/√fan_in) whatever follows, a gain of 0.58.

    Sources: Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852; Saxe et al. 2014, arXiv:1312.6120; Mishkin & Matas
    2016, arXiv:1511.06422.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 10))
    >>> report = initialize(net, torch.randn(128, 64), generator=torch.Generator().manual_seed(0))
    >>> [(layer.name, layer.activation, round(layer.gain, 4)) for layer in report.layers]
    [('0', 'gelu', 1.5335), ('2', 'linear', 1.0)]
    >>> report.after.passed
    True
    """
    model = unwrapped(model)
    _check_options(scheme, mode, residual)
    _check_lazy(model, example)
    before, seen = (None, None) if example is None else _seen(model, example)
    uses = in_definition_order(model, activation) if seen is None else in_execution_order(seen)
    uses |= {name: Use("not called") for name in weight_layers(model) if name not in uses}
    uses = marked_recurrent(weight_layers(model), uses)
    branches = seen.residuals if seen is not None else sum(use.residual for use in uses.values())
    branch = {"scale": max(branches, 1) ** -0.5, "zero": 0.0, "none": 1.0}["none" if scheme == "lsuv" else residual]
    writer = Writer(include_frozen)
    rules = Rules(writer, scheme, mode, generator, branch)
    _fill(model, uses, rules)
    factors: dict[str, Scaled] = {}
    after = None
    if seen is not None and not any(t.is_meta for t in model.parameters()):
        if wanted := targets(model, scheme, uses, rules):
            with untouched(model):
                factors = scaled(model, example, wanted, rms_factor if scheme == "auto" else lsuv_factor)
        after = judged(*measure(model, example))
    return Report(scheme, _layers(model, uses, factors), tuple(writer.started), writer.kept, before, after)


def _check_options(scheme: str, mode: str, residual: str) -> None:
    if scheme not in SCHEMES:
        raise ValueError(f"initialize: scheme={scheme!r}, expected one of {', '.join(SCHEMES)}")
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'initialize: mode={mode!r}, expected "fan_in" or "fan_out"')
    if residual not in ("scale", "zero", "none"):
        raise ValueError(f'initialize: residual={residual!r}, expected "scale", "zero" or "none"')


def _check_lazy(model: nn.Module, example: Any) -> None:
    """Lazy layers get their shapes from the example; without one there is nothing to fill."""
    lazy = [name for name, p in model.named_parameters() if is_lazy(p)]
    if not lazy:
        return
    if example is None:
        raise ValueError(
            f"initialize: {lazy[0]} is lazy and has no shape yet; pass an example, or run the model once before"
        )
    with untouched(model):
        forward(model, example)


def _seen(model: nn.Module, example: Any) -> tuple[Check | None, Trace]:
    measured, seen = measure(model, example)
    meta = any(p.is_meta for p in model.parameters())
    return None if meta else judged(measured, seen), seen


def _fill(model: nn.Module, uses: dict[str, Use], rules: Rules) -> None:
    layers = weight_layers(model)
    for name, module in matrices_first({name: layers[name] for name in uses}).items():
        rules.fill(name, module, uses[name])
    closing = {use.closing_norm for use in uses.values() if use.residual}
    for name, module in model.named_modules():
        if is_norm(module):
            rules.fill_norm(name, module, name in closing)
    rules.write.keep_others(model)


def _layers(model: nn.Module, uses: dict[str, Use], factors: dict[str, Scaled]) -> tuple[LayerStart, ...]:
    modules = weight_layers(model)
    untouched_one = Scaled(1.0)
    return tuple(
        LayerStart(
            name, use.activation, use.gain, fans(modules[name]), use.residual,
            factors.get(name, untouched_one).factor, factors.get(name, untouched_one).problem,
        )
        for name, use in uses.items()
    )  # fmt: skip
