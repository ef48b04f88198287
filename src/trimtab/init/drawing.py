"""Random values for a tensor: drawn in float32 or better where the generator lives, then cast to what the tensor is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from trimtab.methods.initialize import uniform_bound

Generator = torch.Generator | None


def standard_normal(like: Tensor, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Independent N(0, 1); complex ones have half of the variance in each part."""
    drawn = torch.empty(_real_shape(like, shape), **_how(like, generator)).normal_(generator=generator)
    return torch.view_as_complex(drawn * 0.5**0.5) if like.is_complex() else drawn


def standard_uniform(like: Tensor, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Independent, uniform with standard deviation 1, that is on [−√3, √3]."""
    bound = uniform_bound(1.0)
    drawn = torch.empty(_real_shape(like, shape), **_how(like, generator)).uniform_(-bound, bound, generator=generator)
    return torch.view_as_complex(drawn * 0.5**0.5) if like.is_complex() else drawn


def checked(tensor: Tensor, function: str, least: int = 2) -> Tensor:
    """The tensor, if it can be filled: floating or complex, and of enough dimensions."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise TypeError(f"{function}: a tensor of {tensor.dtype} cannot hold random weights; expected a floating dtype")
    if tensor.dim() < least:
        raise ValueError(f"{function}: a tensor of shape {list(tensor.shape)} is no weight; expected [out, in, ...]")
    return tensor


def put(tensor: Tensor, values: Tensor) -> Tensor:
    """Copy into a tensor, a leaf that requires a gradient included; returns it."""
    with torch.no_grad():
        return tensor.copy_(values)


def home(like: Tensor, generator: Generator) -> torch.device:
    """Where values for a tensor are drawn.

    Raises:
        TypeError: the generator is none.
    """
    if generator is None or like.is_meta:
        return like.device
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator={generator!r}: expected a torch.Generator, as torch.Generator().manual_seed(0)")
    return generator.device


def _real_shape(like: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape, 2) if like.is_complex() else shape


def _how(like: Tensor, generator: Generator) -> dict[str, Any]:
    wide = like.dtype in (torch.float64, torch.complex128)
    return {"dtype": torch.float64 if wide else torch.float32, "device": home(like, generator)}
