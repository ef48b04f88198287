"""One update of the running estimates for several micro-batches, as for the batch that they make together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trimtab.methods.moments import Moments
from trimtab.nn.batch_norm import BatchNorm


@contextmanager
def merged_statistics(model: nn.Module) -> Iterator[None]:
    """Gradient accumulation: the batches inside update the running estimates once, as one batch would.

    Their moments are merged, `M₂ = M₂ₐ + M₂_b + δ² nₐ n_b/n` (Chan, Golub, LeVeque), in float64; the variance between
    the micro-batches is kept, and `num_batches_tracked` rises by one. Each micro-batch is still normalised by its own
    statistics, so that only the first normalisation layer sees what it would see of the whole batch. After an exception
    inside, the running estimates are as they were before.

    Args:
        model: whose trimtab batch-norm layers are meant; torch's have no such memory, see `trimtab.nn.convert`.

    Raises:
        ValueError: the model has no such layer.
        RuntimeError: inside another `merged_statistics` of the same layer.

    >>> from trimtab.nn import BatchNorm1d
    >>> layer, whole, x = BatchNorm1d(3), BatchNorm1d(3), torch.randn(8, 3)
    >>> with merged_statistics(layer):
    ...     for part in x.split(4):
    ...         _ = layer(part)
    >>> _ = whole(x)
    >>> torch.allclose(layer.running_var, whole.running_var), layer.num_batches_tracked.item()
    (True, 1)
    """
    layers = [m for m in model.modules() if isinstance(m, BatchNorm) and m.running_mean is not None]
    if not layers:
        raise ValueError(
            "merged_statistics: no trimtab batch norm with running estimates; convert(model) makes them so"
        )
    if any(layer.pending is not None for layer in layers):
        raise RuntimeError("merged_statistics: a layer is inside another merged_statistics; leave that one first")
    for layer in layers:
        assert layer.running_mean is not None
        layer.pending = nothing_seen(layer.running_mean)
    unseen = [layer.pending for layer in layers]
    try:
        yield
        seen = [layer.pending for layer in layers]
    finally:
        for layer in layers:
            layer.pending = None
    for layer, before, after in zip(layers, unseen, seen, strict=True):
        if after is not None and after is not before:
            layer.observe(after)


def nothing_seen(like: Tensor) -> Moments:
    """The neutral element of merging."""
    zero = torch.zeros_like(like, dtype=torch.float64)
    return Moments(zero, zero, zero)
