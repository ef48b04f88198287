"""Mean and sd of each input feature over the first batches: moments merged on the host after Chan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.core.signal import FEATURE_MEAN, FEATURE_NONFINITE, FEATURE_SD
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import Layer, layer_input
from trimtab.watching.probes.sample import rows

FIRST_BATCHES = 10
MAX_FEATURES = 2048
MAX_ROWS = 4096


def read_features(buffer: Buffer, step: int, first_site: int, layer: Layer, features: int) -> None:
    """Count, mean, variance and non-finite share per feature of one batch, as one vector [4 F] for the host."""
    x = feature_rows(layer)
    if x is None or x.shape[1] < features:
        return
    x = x[:, :features].double()
    finite = torch.isfinite(x)
    count = finite.sum(0)
    clean = torch.where(finite, x, 0.0)
    mean = clean.sum(0) / count.clamp(min=1)
    variance = torch.where(finite, (x - mean).square(), 0.0).sum(0) / count.clamp(min=1)
    buffer.put(step, FEATURE_MEAN, first_site, torch.cat([count.double(), mean, variance, 1 - finite.double().mean(0)]))


def feature_rows(layer: Layer) -> Tensor | None:
    """The data entering a layer as [rows, features]: channels of an image, last axis otherwise."""
    x = layer_input(layer)
    if x is None or x.numel() == 0 or x.is_complex():
        return None
    if layer.op == "conv":
        # Over batch and space, at most 64 images: a batch of large images has more pixels than a mean needs.
        return rows(x[:64], 1)[:: max(x[:64].numel() // x.shape[1] // MAX_ROWS, 1)]
    flat = x.reshape(-1, x.shape[-1]) if x.dim() > 1 else x[None]
    return flat[:MAX_ROWS]


@dataclass(slots=True)
class Moments:
    """Running count, mean and sum of squared deviations per feature; merged batch by batch (Chan et al. 1979)."""

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]
    nonfinite: NDArray[np.float64]

    @classmethod
    def empty(cls, features: int) -> Moments:
        """Moments of no data."""
        return cls(*(np.zeros(features) for _ in range(4)))

    def merge(self, vector: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Take in one batch as `read_features` sent it; returns the signals' values so far."""
        count, mean, variance, bad = vector.reshape(4, -1)
        total = np.maximum(self.count + count, 1)
        shift = mean - self.mean
        self.m2 += variance * count + shift**2 * self.count * count / total
        self.mean += shift * count / total
        self.count += count
        self.nonfinite = np.maximum(self.nonfinite, bad)
        return {
            FEATURE_MEAN.name: self.mean.copy(),
            FEATURE_SD.name: np.sqrt(self.m2 / total),
            FEATURE_NONFINITE.name: self.nonfinite.copy(),
        }
