"""Layer normalisation on the GPU: one pass over memory each way where a row fits into a program's registers."""

from __future__ import annotations

import math

import torch
import triton.language as tl
from torch import Tensor

from trimtab.kernels.layer_norm import Gradients, Normalized
from trimtab.kernels.layout import laid_out_as, wide
from trimtab.kernels.triton import wide_rows
from trimtab.kernels.triton.launch import launch, shared_memory
from trimtab.kernels.triton.layer_norm_rows import columns_added, normalize_rows, slopes_of_rows
from trimtab.kernels.triton.reading import in_a_row, is_readable
from trimtab.kernels.triton.step import TYPES
from trimtab.kernels.triton.tiles import ceil_of, even, power_of_2

WIDEST = 16384  # features that a program takes; beyond it a row is split
MULTIPROCESSORS = 132  # of a large card: how sums are shared out depends on no other, so that they are the same there
PARTIAL = {"SHARES": 128, "COLUMNS": 32, "num_warps": 8}


def forward(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: int = 1, eps: float = 1e-5, correction: int = 0
) -> Normalized | None:
    """As `trimtab.kernels.layer_norm.forward`; None where `x` is not for the kernels."""
    rows, width = _rows(x, dims)
    if not _is_ours(x) or width <= correction:
        return None
    y, kind = torch.empty_like(x), TYPES[wide(x.dtype)]
    shape = (*x.shape[: x.ndim - dims], *[1] * dims)
    kept = [torch.empty(shape, dtype=wide(x.dtype), device=x.device) for _ in range(3)]
    weight, bias = in_a_row(weight), in_a_row(bias)
    if width > WIDEST:
        wide_rows.forward(y, x, kept, weight, bias, rows, kind, eps, correction)
        return Normalized(y, *kept)
    columns = power_of_2(width)
    together = max(1, 1024 // columns)  # rows
    resident = max(1, 8192 // columns)  # programs of a multiprocessor
    per = together if columns <= 2048 else ceil_of(rows, MULTIPROCESSORS * resident)
    root = math.sqrt(eps)
    launch(
        normalize_rows,
        (ceil_of(rows, per),),
        y,
        *kept,
        x,
        weight,
        bias,
        rows,
        width,
        per,
        EVEN=even(width),
        CORRECTION=correction,
        EPS=eps,
        ROOT=root,
        LEAST=max(root, torch.finfo(kept[0].dtype).tiny),
        WIDE=kind,
        ROWS=together,
        WIDTH=columns,
        num_warps=min(32, together * columns // 256),
    )
    return Normalized(y, *kept)


def backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor | None,
    statistics: tuple[Tensor, Tensor, Tensor],
    dims: int = 1,
    correction: int = 0,
) -> Gradients | None:
    """As `trimtab.kernels.layer_norm.backward`; None where `x` is not for the kernels."""
    rows, width = _rows(x, dims)
    if not _is_ours(x):
        return None
    dx, dy, weight, kind = torch.empty_like(x), laid_out_as(dy, x), in_a_row(weight), TYPES[wide(x.dtype)]
    kept = [values.reshape(-1) for values in statistics]
    if width > WIDEST:
        partial = wide_rows.backward(dx, dy, x, weight, kept, rows, kind, correction)
    else:
        partial = _backward(dx, dy, x, weight, kept, rows, width, kind, correction)
    added = torch.empty(2, *x.shape[x.ndim - dims :], dtype=kept[0].dtype, device=x.device)
    grid = (ceil_of(2 * width, PARTIAL["COLUMNS"]),)
    launch(columns_added, grid, added, partial, len(partial), 2 * width, **PARTIAL)
    return Gradients(dx, *added)


def _backward(
    dx: Tensor,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | None,
    kept: list[Tensor],
    rows: int,
    width: int,
    kind: tl.dtype,
    correction: int,
) -> Tensor:
    """∂L/∂x into `dx`; returns the shares [programs, 2, width] of the gradients of γ and κ."""
    columns = min(power_of_2(width), WIDEST // 2)
    parts = ceil_of(width, columns)
    together = max(1, 2048 // columns)  # rows
    tile = together * columns
    resident = max(1, min(3, 8192 // tile))  # programs of a multiprocessor
    per = ceil_of(ceil_of(rows, MULTIPROCESSORS * resident), together) * together
    partial = torch.empty(ceil_of(rows, per), 2, width, dtype=kept[0].dtype, device=x.device)
    # Rows on their way wait in shared memory: x, ∂L/∂y and, of rows in parts, γ, each part and the own one again.
    ahead = tile * (2 * x.element_size() + (4 if parts > 1 else 0)) * (parts + 1 if parts > 1 else 1)
    launch(
        slopes_of_rows,
        (len(partial), parts),
        dx,
        partial,
        dy,
        x,
        weight,
        *kept,
        rows,
        width,
        per,
        EVEN=even(width),
        CORRECTION=correction,
        WIDE=kind,
        ROWS=together,
        WIDTH=columns,
        PARTS=parts,
        STAGES=2 if ahead + tile < shared_memory(x.device) else 1,
        num_warps=tile // 256 if parts == 1 else 16,
    )
    return partial


def _is_ours(x: Tensor) -> bool:
    return is_readable(x) and x.is_contiguous() and x.numel() > 0


def _rows(x: Tensor, dims: int) -> tuple[int, int]:
    """How many rows, and how many features each has."""
    width = math.prod(x.shape[x.ndim - dims :])
    return x.numel() // max(width, 1), width
