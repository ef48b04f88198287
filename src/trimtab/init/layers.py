"""The layers that initialisation knows, and how a value gets into their parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
MATRICES = (nn.Linear, nn.Bilinear, *CONVS, *TRANSPOSED)
TABLES = (nn.Embedding, nn.EmbeddingBag)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
WEIGHTED = (*MATRICES, *TABLES, *RECURRENT, nn.MultiheadAttention)
_TORCH_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_POWER_STEPS = 15  # as torch takes when a layer gets its spectral norm


def is_norm(module: nn.Module) -> bool:
    """Torch's normalisation layers, and ours, which descend from them; others may mean something else by a weight."""
    return isinstance(module, _TORCH_NORMS)


def is_frozen(module: nn.Module) -> bool:
    """Whether a module has parameters, and none that trains."""
    own = list(module.parameters())
    return bool(own) and not any(p.requires_grad for p in own)


def weight_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Layers with weights by name, in definition order, shared ones once; attention includes its output projection."""
    inside = {id(m.out_proj) for m in model.modules() if isinstance(m, nn.MultiheadAttention)}
    return {name: m for name, m in model.named_modules() if isinstance(m, WEIGHTED) and id(m) not in inside}


def leaves(module: nn.Module, name: str) -> list[nn.Parameter]:
    """The parameters that a value is made of: itself, or what a parametrisation keeps in its place."""
    if parametrize.is_parametrized(module, name):
        return list(_parametrizations(module)[name].parameters())
    kept = (module._parameters.get(n) for n in (name, f"{name}_g", f"{name}_v", f"{name}_orig"))
    return [p for p in kept if p is not None]


def value(module: nn.Module, name: str) -> Tensor | None:
    """A parameter as the layer uses it; None where the layer has none."""
    return getattr(module, name, None)


def write(module: nn.Module, name: str, values: Tensor, where: str) -> None:
    """Make a layer's parameter have these values, through its parametrisation where it has one.

    Raises:
        ValueError: the parametrisation has no inverse, so that no value can be given to it.
    """
    with torch.no_grad():
        if parametrize.is_parametrized(module, name):
            _assign(module, name, values, where)
        elif (parameter := module._parameters.get(name)) is not None:
            parameter.copy_(values)
        else:
            _write_by_hook(module, name, values, where)
    torch.clear_autocast_cache()  # inside autocast it would go on using the weight as it was


def _parametrizations(module: nn.Module) -> Any:
    """By parameter; torch puts them there at run time, where no type tells of them."""
    return module.parametrizations


def _assign(module: nn.Module, name: str, values: Tensor, where: str) -> None:
    try:
        setattr(module, name, values)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"initialize: {where}.{name} is parametrised and takes no value ({error}); "
            "initialise before registering the parametrisation, or give it a right_inverse"
        ) from error
    for part in _parametrizations(module)[name]:
        if isinstance(part, _SpectralNorm):
            _estimate_norm(module, name, part)


def _estimate_norm(module: nn.Module, name: str, part: nn.Module) -> None:
    """Power steps: the norm that divides the weight is an estimate, and still that of the weight before."""
    training = part.training
    part.train()
    for _ in range(_POWER_STEPS):
        getattr(module, name)
    part.train(training)


def _write_by_hook(module: nn.Module, name: str, values: Tensor, where: str) -> None:
    """`torch.nn.utils.weight_norm` and `spectral_norm` of old, which recompute the weight before every forward."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            _part(module, f"{name}_v").copy_(values)
            _part(module, f"{name}_g").copy_(torch.norm_except_dim(values, 2, hook.dim))
            setattr(module, name, hook.compute_weight(module))
            return
    if module._parameters.get(f"{name}_orig") is None:
        raise ValueError(f"initialize: {where} ({type(module).__name__}) keeps no parameter {name!r} to initialise")
    _part(module, f"{name}_orig").copy_(values)
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            for _ in range(_POWER_STEPS):
                setattr(module, name, hook.compute_weight(module, do_power_iteration=True))


def _part(module: nn.Module, name: str) -> Any:
    return module._parameters[name]
