"""How much of a tensor is looked at: enough for a stable statistic, bounded so that cost does not grow with the model."""

from __future__ import annotations

from torch import Tensor

ELEMENTS = 1 << 18
EXAMPLES = 256
MIN_EXAMPLES = 4
WEIGHTS = 1 << 14


def examples(x: Tensor) -> Tensor:
    """The first examples of a batch, at most 256 and about 2^18 elements; a view of x [n, ...]."""
    per_example = max(x[:1].numel(), 1)
    return x[: min(EXAMPLES, max(MIN_EXAMPLES, ELEMENTS // per_example))]


def weights(p: Tensor) -> Tensor:
    """An evenly spaced sample of at most about 2^14 weights, a view where the memory allows; [k]."""
    flat = p.detach().reshape(-1)
    stride = max(flat.numel() // WEIGHTS, 1)
    return flat[::stride]


def rows(x: Tensor, unit_axis: int) -> Tensor:
    """Examples and positions as rows, units as columns: [n, ..., C, ...] -> [N, C]."""
    if x.dim() < 2:
        return x.reshape(-1, 1)
    return x.movedim(unit_axis, -1).reshape(-1, x.shape[unit_axis])
