"""Batch normalisation: from how many values it takes its statistics, in which mode, and how far its estimates lag."""

from __future__ import annotations

from torch import Tensor

from trimtab.core.signal import BATCH_MODE, BATCH_VALUES, MEAN_DRIFT, VARIANCE_DRIFT
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import Layer, saved


def read_batch_norm(buffer: Buffer, step: int, site: int, layer: Layer) -> None:
    """Measure one batch norm from what its node keeps for the backward pass."""
    node = layer.node
    training = getattr(node, "_saved_training", None)
    shape = tuple(node._input_metadata[0].shape)
    if training is None or len(shape) < 2:
        return
    buffer.put(step, BATCH_MODE, site, float(training))
    if not training:
        return
    values = 1
    for size in (shape[0], *shape[2:]):
        values *= int(size)
    buffer.put(step, BATCH_VALUES, site, float(values))
    _drift(buffer, step, site, [saved(node, name) for name in ("running_mean", "running_var", "result1", "result2")])


def _drift(buffer: Buffer, step: int, site: int, statistics: list[Tensor | None]) -> None:
    running_mean, running_var, mean, inverse_sd = statistics
    if running_mean is None or running_var is None or mean is None or inverse_sd is None or mean.numel() == 0:
        return
    sd = 1 / inverse_sd.double()  # ε is inside: a channel that is constant drifts nowhere
    buffer.put(step, MEAN_DRIFT, site, ((running_mean.double() - mean.double()).abs() / sd).median())
    ratio = running_var.double().clamp_min(1e-12).log() - 2 * sd.log()
    buffer.put(step, VARIANCE_DRIFT, site, ratio.abs().median())
