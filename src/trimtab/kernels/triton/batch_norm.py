"""Batch normalisation on the GPU: statistics and values in two passes over memory at most, each way."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.kernels.batch_norm import Gradients, Normalized
from trimtab.kernels.layout import Layout, laid_out_as, layout, wide
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.normal import apply, statistics
from trimtab.kernels.triton.reading import in_a_row, is_readable
from trimtab.kernels.triton.slopes import slopes, sums
from trimtab.kernels.triton.step import TYPES
from trimtab.kernels.triton.tiles import cut


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5, correction: int = 0
) -> Normalized | None:
    """As `trimtab.kernels.batch_norm.forward`; None where `x` is not for the kernels."""
    place = _place(x)
    if place is None or place.outer * place.inner <= correction:
        return None
    y, tiles, kind = torch.empty_like(x), cut(place), TYPES[wide(x.dtype)]
    shape = (1, x.shape[1], *[1] * (x.ndim - 2))
    shift, rest, rstd, deviation = (torch.empty(shape, dtype=wide(x.dtype), device=x.device) for _ in range(4))
    statistics(x, place, tiles, kind, eps, correction, [shift, rest, rstd, deviation])
    given = {"shift": shift, "rest": rest, "rstd": rstd, "weight": in_a_row(weight), "bias": in_a_row(bias)}
    apply(y, x, given, place, tiles, kind)
    return Normalized(y, shift, rest, rstd, deviation)


def backward(
    dy: Tensor, x: Tensor, weight: Tensor | None, kept: tuple[Tensor, Tensor, Tensor], correction: int = 0
) -> Gradients | None:
    """As `trimtab.kernels.batch_norm.backward`; None where `x` is not for the kernels."""
    place = _place(x)
    if place is None:
        return None
    tiles, kind = cut(place), TYPES[wide(x.dtype)]
    dx, dy, weight = torch.empty_like(x), laid_out_as(dy, x), in_a_row(weight)
    dweight, dbias = torch.empty(2, place.channels, dtype=wide(x.dtype), device=x.device)
    flat = [values.reshape(-1) for values in kept]
    sums(dy, x, flat, None, place, tiles, kind, (dbias, dweight))
    launch(
        slopes,
        tiles.grid,
        dx,
        dy,
        x,
        *flat,
        weight,
        dbias,
        dweight,
        *tiles.sizes(place),
        place.outer * place.inner,
        CORRECTION=correction,
        WIDE=kind,
        **tiles.compiled(place),
    )
    return Gradients(dx, dweight, dbias)


def evaluate(
    x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5
) -> Tensor | None:
    """As `trimtab.kernels.batch_norm.evaluate`; None where `x` is not for the kernels."""
    place = _place(x)
    if place is None:
        return None
    y = torch.empty_like(x)
    given = {
        "shift": in_a_row(mean),
        "variance": in_a_row(variance),
        "weight": in_a_row(weight),
        "bias": in_a_row(bias),
    }
    apply(y, x, given, place, cut(place), TYPES[wide(x.dtype)], eps)
    return y


def _place(x: Tensor) -> Layout | None:
    """Where the channels are, if there are any values of theirs that the kernels can read."""
    return layout(x, 1) if is_readable(x) and x.ndim > 1 and x.numel() else None
