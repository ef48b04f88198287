"""A weight drawn by a scheme, for a layer of which the fans and the gain are known."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from trimtab.init.drawing import Generator, home, standard_normal, standard_uniform
from trimtab.init.fans import Fans, fans
from trimtab.init.orthogonal import delta_orthogonal_, orthogonal_
from trimtab.init.variance import Mode
from trimtab.methods.initialize import kaiming_std, lecun_std, xavier_std

Scheme = Literal[
    "auto", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform", "lecun_normal",
    "orthogonal", "delta_orthogonal", "lsuv",
]  # fmt: skip
SCHEMES: tuple[str, ...] = get_args(Scheme)


def drawn(module: nn.Module, like: Tensor, scheme: str, gain: float, mode: Mode, generator: Generator) -> Tensor:
    """A new weight for a linear, bilinear or convolution layer, in float32 or better."""
    if not like.numel():
        return like.detach().clone()
    if scheme in ("orthogonal", "delta_orthogonal", "lsuv"):
        return _orthogonal(module, like, scheme, 1.0 if scheme == "lsuv" else gain, generator)
    draw = standard_uniform if scheme.endswith("uniform") else standard_normal
    return _std(scheme, fans(module), gain, mode) * draw(like, tuple(like.shape), generator)


def rule_of(scheme: str, mode: Mode) -> str:
    """The scheme in words."""
    if scheme == "auto":
        return "N(0, gain²/fan_in)"
    return f"{scheme} {mode}" if scheme.startswith("kaiming") else scheme


def _std(scheme: str, f: Fans, gain: float, mode: Mode) -> float:
    if scheme.startswith("xavier"):
        return xavier_std(*f, gain)
    if scheme.startswith("lecun"):
        return lecun_std(f.fan_in)
    return kaiming_std(f.fan_out if mode == "fan_out" and scheme != "auto" else f.fan_in, gain)


def _orthogonal(module: nn.Module, like: Tensor, scheme: str, gain: float, generator: Generator) -> Tensor:
    exact = like.dtype in (torch.float64, torch.complex64, torch.complex128)
    fresh = torch.empty(like.shape, dtype=like.dtype if exact else torch.float32, device=home(like, generator))
    convolution = isinstance(module, _ConvNd)
    groups = module.groups if isinstance(module, _ConvNd) else 1
    if convolution and scheme == "delta_orthogonal":
        return delta_orthogonal_(fresh, gain, generator, groups=groups)
    return orthogonal_(fresh, gain, generator, groups=groups)
