"""Gains against an integration that shares nothing with the quadrature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from trimtab.init import gain

Z = np.linspace(-12, 12, 1_200_001)
NORMAL = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])


def _numpy_gain(f: Callable[[np.ndarray], np.ndarray]) -> float:
    return float(1 / np.sqrt((f(Z) ** 2 * NORMAL).sum()))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


_ERF = np.vectorize(math.erf)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("gelu", 1.5335), ("silu", 1.6765), ("elu", 1.2452), ("mish", 1.4868), ("hardswish", 1.7367),
        ("softplus", 1.0419), ("sigmoid", 1.8462), ("tanh", 1.5925), ("relu", math.sqrt(2)), ("selu", 1.0),
        ("linear", 1.0),
    ],
)  # fmt: skip
def test_published_gains(name: str, published: float) -> None:
    assert gain(name) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize(
    ("activation", "f"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("tanh", np.tanh),
        ("sigmoid", _sigmoid),
        ("silu", lambda z: z * _sigmoid(z)),
        ("softplus", _softplus),
        ("mish", lambda z: z * np.tanh(_softplus(z))),
        ("hardswish", lambda z: z * np.clip(z + 3, 0, 6) / 6),
        ("hardsigmoid", lambda z: np.clip(z + 3, 0, 6) / 6),
        ("hardtanh", lambda z: np.clip(z, -1, 1)),
        ("relu6", lambda z: np.clip(z, 0, 6)),
        ("softsign", lambda z: z / (1 + np.abs(z))),
        ("tanhshrink", lambda z: z - np.tanh(z)),
        ("hardshrink", lambda z: np.where(np.abs(z) > 0.5, z, 0)),
        ("softshrink", lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0)),
        ("log_sigmoid", lambda z: -_softplus(-z)),
        (nn.ELU(0.3), lambda z: np.where(z > 0, z, 0.3 * np.expm1(np.minimum(z, 0)))),
        (nn.CELU(2.0), lambda z: np.where(z > 0, z, 2.0 * np.expm1(np.minimum(z, 0) / 2))),
        (nn.LeakyReLU(0.2), lambda z: np.where(z > 0, z, 0.2 * z)),
        (nn.PReLU(3, init=0.1), lambda z: np.where(z > 0, z, 0.1 * z)),
        (nn.Softplus(beta=3.0), lambda z: _softplus(3 * z) / 3),
        (nn.Hardtanh(-0.3, 2.2), lambda z: np.clip(z, -0.3, 2.2)),
        (nn.Threshold(0.7, -0.1), lambda z: np.where(z > 0.7, z, -0.1)),
        (nn.GELU("tanh"), lambda z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))),
        (lambda z: z.abs().sqrt(), lambda z: np.sqrt(np.abs(z))),
        (lambda z: F.relu(z) ** 2, lambda z: np.maximum(z, 0) ** 2),
        (torch.sin, np.sin),
    ],
)
def test_gains_equal_a_riemann_sum(activation: Any, f: Callable[[np.ndarray], np.ndarray]) -> None:
    assert gain(activation) == pytest.approx(_numpy_gain(f), abs=1e-4)


def test_gelu_by_erf() -> None:
    z, normal = Z[::40], NORMAL[::40] * 40
    f = z / 2 * (1 + _ERF(z / math.sqrt(2)))
    assert gain("gelu") == pytest.approx(float(1 / np.sqrt((f**2 * normal).sum())), abs=1e-6)


def test_a_leaky_gain_is_torchs_and_that_of_the_formula() -> None:
    assert gain("leaky_relu", negative_slope=0.3) == pytest.approx(math.sqrt(2 / (1 + 0.3**2)))
    assert gain("leaky_relu", negative_slope=0.3) == pytest.approx(nn.init.calculate_gain("leaky_relu", 0.3))
    assert gain("relu") == pytest.approx(nn.init.calculate_gain("relu"))


ARGUMENTS = {"Threshold": (0.0, 0.0), "MultiheadAttention": (4, 2), "AdaptiveLogSoftmaxWithLoss": (4, 10, [5])}


@pytest.mark.parametrize("name", nn.modules.activation.__all__)
def test_every_activation_module_of_torch_has_a_gain(name: str) -> None:
    module = getattr(nn, name, None) or getattr(nn.modules.activation, name)
    made = module(*ARGUMENTS.get(name, ()))
    assert 0.5 < gain(made) < 3
    if name not in ARGUMENTS:
        assert gain(module) == gain(made)
    assert gain(name) > 0  # by the module's name too


FUNCTIONAL = [
    "relu", "relu6", "elu", "celu", "selu", "gelu", "silu", "mish", "leaky_relu", "rrelu", "sigmoid", "tanh",
    "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "softplus", "softsign", "tanhshrink",
    "logsigmoid", "softmax", "log_softmax", "softmin", "gumbel_softmax", "glu", "relu_", "elu_", "hardtanh_",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:nn.functional:UserWarning")
@pytest.mark.parametrize("name", FUNCTIONAL)
def test_every_functional_activation_by_name_and_itself(name: str) -> None:
    function = getattr(F, name)
    assert gain(function) == pytest.approx(gain(name), abs=1e-12)


def test_gated_normalising_and_linear_by_rule() -> None:
    assert gain("glu") == gain("sigmoid")  # E[a²σ(b)²] = E[σ(b)²]
    assert gain(nn.GLU()) == gain(F.glu) == gain("glu")
    assert gain(nn.Softmax(-1)) == gain("log_softmax") == gain(nn.Identity()) == gain(None) == 1.0
    assert gain(nn.Dropout(0.5)) == 1.0


def test_a_module_keeps_its_parameters_and_mode() -> None:
    class Swish(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.beta = nn.Parameter(torch.tensor(1.0))

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z * torch.sigmoid(self.beta * z)

    swish = Swish()
    assert gain(swish) == pytest.approx(gain("silu"))
    assert swish.beta.dtype == torch.float32 and swish.training and swish.beta.grad is None


def test_the_signatures_defaults_are_torchs() -> None:
    assert inspect.signature(F.leaky_relu).parameters["negative_slope"].default == 0.01
    assert gain("leaky_relu") == gain(nn.LeakyReLU())


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ("reul", "no activation 'reul'"),
        (torch.zeros_like, "is 0.0"),
        (lambda z: z.mean(), "not element-wise"),
        (lambda z: z.log(), "is nan"),
        (lambda z: (z**2).exp(), "is inf|is 2"),
        (lambda z: 3, "not element-wise"),
    ],
)
def test_bad_activations_are_refused(activation: Any, message: str) -> None:
    if message == "is inf|is 2":
        assert gain(activation) < 1e-20  # E diverges; on 12 standard deviations it is merely huge
        return
    with pytest.raises(ValueError, match=message):
        gain(activation)
