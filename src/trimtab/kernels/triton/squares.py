"""The lengths of gradients: one pass over memory, then sums of its parts in an order that the sizes alone decide."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from trimtab.kernels.triton.chunks import BLOCK, CHUNK, WARPS, Chunks
from trimtab.kernels.triton.launch import launch
from trimtab.kernels.triton.streams import begin, read

# float64 holds the square of any number of the shorter formats; of its own, these units bring near 1 what one does not.
SMALL = tl.constexpr(2.0**-600)
LARGE = tl.constexpr(2.0**600)
AT_ONCE = tl.constexpr(1024)  # parts of a tensor, or tensors, that are added up together


@triton.jit(do_not_specialize=["tensors", "chunks"])
def _of_chunks(parts, places, sizes, first, tensor, tensors, chunks, ROW: tl.constexpr, ALIGNED: tl.constexpr,
               TYPE: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Σ x² of a chunk; of float64 also in two other units."""
    pid = tl.program_id(0)
    k = tl.load(tensor + pid)
    start = (pid - tl.load(first + k)) * CHUNK
    n = tl.minimum(tl.load(sizes + k) - start, CHUNK)
    whole = tl.where(tl.load(places + ALIGNED * tensors + k) != 0, n // BLOCK, 0)
    total = tl.zeros([BLOCK], tl.float64)
    small = tl.zeros([BLOCK], tl.float64)
    large = tl.zeros([BLOCK], tl.float64)
    for RAGGED in tl.static_range(2):
        x_at = begin(places, ROW, tensors, k, start, TYPE, RAGGED)
        for b in range(whole if RAGGED else 0, tl.cdiv(n, BLOCK) if RAGGED else whole):
            x = read(x_at, b * BLOCK + tl.arange(0, BLOCK), n, RAGGED).to(tl.float64)
            total += x * x
            if TYPE == tl.float64:
                small += (x * SMALL) * (x * SMALL)
                large += (x * LARGE) * (x * LARGE)
    tl.store(parts + pid, tl.sum(total, 0))
    if TYPE == tl.float64:
        tl.store(parts + chunks + pid, tl.sum(small, 0))
        tl.store(parts + 2 * chunks + pid, tl.sum(large, 0))


@triton.jit
def _sum(parts, from_, to):
    """The sum of `parts`, from one up to another."""
    total = tl.zeros([AT_ONCE], tl.float64)
    for at in range(from_, to, AT_ONCE):
        i = at + tl.arange(0, AT_ONCE)
        total += tl.load(parts + i, mask=i < to, other=0.0)
    return tl.sum(total, 0)


@triton.jit(do_not_specialize=["chunks"])
def _of_tensors(norms, parts, first, chunks, DOUBLE: tl.constexpr):
    """√ Σ x² of a tensor."""
    k = tl.program_id(0)
    start, end = tl.load(first + k), tl.load(first + k + 1)
    norm = tl.sqrt(_sum(parts, start, end))
    if DOUBLE:
        small, large = _sum(parts + chunks, start, end), _sum(parts + 2 * chunks, start, end)
        norm = tl.where(norm == float("inf"), tl.sqrt(small) / SMALL, norm)
        norm = tl.where(norm < 1e-140, tl.sqrt(large) / LARGE, norm)
    tl.store(norms + k, norm)


@triton.jit
def together(norms, from_, to, SIZE: tl.constexpr):
    """The length of the whole from the lengths of its parts, of which there are `to − from_`, SIZE at a time."""
    largest = tl.zeros([SIZE], tl.float64)
    for at in range(from_, to, SIZE):
        i = at + tl.arange(0, SIZE)
        largest = tl.maximum(largest, tl.load(norms + i, mask=i < to, other=0.0))
    unit = tl.max(largest, 0)
    unit = tl.where((unit > 0) & (unit < float("inf")), unit, 1.0)
    total = tl.zeros([SIZE], tl.float64)
    for at in range(from_, to, SIZE):
        i = at + tl.arange(0, SIZE)
        share = tl.load(norms + i, mask=i < to, other=0.0) / unit
        total += share * share
    return tl.sqrt(tl.sum(total, 0)) * unit


@triton.jit(do_not_specialize=["tensors"])
def _of_all(norm, norms, tensors):
    tl.store(norm, together(norms, 0, tensors, AT_ONCE))


class Lengths:
    """The memory of one table for its norms, float64; `each` has that of each tensor."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        device, tensors = chunks.sizes.device, len(chunks.sizes)
        self._parts = torch.empty(3, chunks.count, dtype=torch.float64, device=device)
        self.each = torch.empty(tensors, dtype=torch.float64, device=device)

    def measure(self, places: Tensor, row: int, dtype: tl.dtype, whole: Tensor | None = None) -> None:
        """Those of the tensors of a row, and the norm of all of them together into the number `whole`."""
        chunks, count, tensors = self._chunks, self._chunks.count, len(self.each)
        launch(
            _of_chunks,
            (count,),
            self._parts,
            places,
            chunks.sizes,
            chunks.first,
            chunks.tensor,
            tensors,
            count,
            ROW=row,
            ALIGNED=len(places) - 1,
            TYPE=dtype,
            CHUNK=CHUNK,
            BLOCK=BLOCK,
            num_warps=WARPS,
        )
        launch(_of_tensors, (tensors,), self.each, self._parts, chunks.first, count, DOUBLE=dtype == tl.float64)
        if whole is not None:
            launch(_of_all, (1,), whole, self.each, tensors)
