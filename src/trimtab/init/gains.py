"""The gain of an activation: by how much it shrinks a signal of unit scale, inverted."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trimtab.methods import initialize as textbook

# Not functions of one number; each rule's reason stands in the docstring of `gain`.
_GATED = frozenset({"glu"})
_NORMALISING = frozenset(
    {
        "softmax", "softmax2d", "log_softmax", "softmin", "gumbel_softmax", "adaptive_log_softmax_with_loss",
        "multihead_attention", "scaled_dot_product_attention",
    }
)  # fmt: skip
_LINEAR = frozenset(
    {
        "linear", "identity", "none", "bilinear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
        "conv_transpose3d", "dropout", "alpha_dropout", "feature_alpha_dropout",
    }
)  # fmt: skip
_ALIASES = {
    "swish": "silu", "logsigmoid": "log_sigmoid", "logsoftmax": "log_softmax", "leakyrelu": "leaky_relu",
    "multiheadattention": "multihead_attention", "adaptivelogsoftmaxwithloss": "adaptive_log_softmax_with_loss",
    "hard_tanh": "hardtanh", "softmax2_d": "softmax2d",
}  # fmt: skip

# Element-wise functions of torch by name; those that torch spells otherwise or that need an argument are given here.
_ELEMENTWISE: dict[str, Callable[..., Tensor]] = {
    **{
        name: getattr(F, name)
        for name in (
            "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "mish", "relu",
            "relu6", "selu", "silu", "softplus", "softshrink", "softsign", "tanhshrink",
        )
    },
    "log_sigmoid": F.logsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "sin": torch.sin,
    "cos": torch.cos,
    "threshold": lambda z, threshold=0.0, value=0.0: F.threshold(z, threshold, value),
    "rrelu": lambda z, lower=1 / 8, upper=1 / 3: F.rrelu(z, lower, upper, training=False),
    "prelu": lambda z, weight=0.25: F.leaky_relu(z, float(weight)),
}  # fmt: skip


def gain(activation: str | nn.Module | Callable[..., Any] | None, **parameters: Any) -> float:
    """The second-moment gain of an activation: `1 / √E[f(z)²]` for `z ~ N(0, 1)`, by quadrature.

    With `Var(w) = gain² / fan_in` a layer that reads `f(z)` puts out unit scale again. By rule, since they are not
    functions of one number: GLU, `a · σ(b)` with independent halves, has the sigmoid's gain; softmax and its kin and
    attention, whose scale does not follow that of their input, have 1; so have linear layers and dropout.

    Args:
        activation: a name as in `torch.nn.functional`, a module or its class, any element-wise callable (it is given a
            float64 tensor), or None, which stands for the identity.
        parameters: passed on to a function given by name or itself: `gain("leaky_relu", negative_slope=0.2)`.

    Raises:
        ValueError: an unknown name, a function that is not element-wise, not finite, or zero everywhere.

    Differs from torch: `calculate_gain` knows 6 activations, the linear among them; it has 5/3 for tanh (1.5925 here),
    1 for the sigmoid (1.846) and 3/4 for SELU (1: SELU keeps unit scale by itself).

    Source: He et al. 2015, arXiv:1502.01852, eq. 8-10, with E[f(z)²] for ReLU's 1/2.

    >>> [round(gain(f), 4) for f in ("relu", "gelu", torch.tanh, nn.LeakyReLU(1.0))]
    [1.4142, 1.5335, 1.5925, 1.0]
    """
    if activation is None:
        return 1.0
    if isinstance(activation, str):
        return _of_name(activation, parameters)
    if isinstance(activation, type) and issubclass(activation, nn.Module):
        name = activation.__name__.lower()
        if not parameters and _ruled(name) is not None:
            return _of_name(name, {})
        activation, parameters = activation(**parameters), {}
    if isinstance(activation, nn.Module):
        return _of_module(activation)
    ruled = _ruled(getattr(activation, "__name__", ""))
    return ruled if ruled is not None else _by_quadrature(activation, parameters)


def name_of(activation: str | nn.Module | Callable[..., Any]) -> str:
    """The one name of an activation, however it is given: `leaky_relu` for `nn.LeakyReLU()`."""
    return _canonical(activation if isinstance(activation, str) else _named(activation))


def _of_name(name: str, parameters: dict[str, Any]) -> float:
    ruled = _ruled(name)
    if ruled is not None:
        return ruled
    function = _ELEMENTWISE.get(_canonical(name))
    if function is None:
        known = ", ".join(sorted({*_ELEMENTWISE, *_GATED, *_NORMALISING, "linear"}))
        raise ValueError(f"gain: no activation {name!r}; pass the function itself, or one of {known}")
    return _by_quadrature(function, parameters)


def _canonical(name: str) -> str:
    name = name.lower().strip("_")
    return _ALIASES.get(name, name)


def _ruled(name: str) -> float | None:
    name = _canonical(name)
    if name in _GATED:
        return _of_name("sigmoid", {})
    return 1.0 if name in _NORMALISING or name in _LINEAR else None


def _of_module(module: nn.Module) -> float:
    ruled = _ruled(type(module).__name__)
    if ruled is not None:
        return ruled
    if isinstance(module, nn.PReLU):  # one slope a channel: the mean of the channels' second moments
        weight = module.weight.detach().double()
        slope = 0.25 if weight.is_meta else math.sqrt(float(weight.square().mean()))
        return _of_name("leaky_relu", {"negative_slope": slope})
    if any(p.is_meta for p in module.parameters()):
        raise ValueError(f"gain: {type(module).__name__} has parameters on the meta device, which have no value")
    return _by_quadrature(copy.deepcopy(module).to("cpu", torch.float64).eval(), {})


def _by_quadrature(function: Callable[..., Any], parameters: dict[str, Any]) -> float:
    def checked(z: Tensor) -> Tensor:
        with torch.no_grad():
            made = function(z, **parameters)
        if not isinstance(made, Tensor) or made.shape != z.shape:
            got = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise ValueError(f"gain: {_named(function)} is not element-wise: it made {got} of {list(z.shape)}")
        return made

    moment = textbook.second_moment(checked)
    if not 0 < moment < math.inf:
        raise ValueError(f"gain: E[f(z)²] of {_named(function)} is {moment}; expected a positive number")
    return 1.0 / math.sqrt(moment)


def _named(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
