"""The network as it starts: scale of the weights and of the signal through depth, before the first update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimtab.core.depth import Chain
from trimtab.core.signal import IN_RMS, SATURATED, WEIGHT_RMS
from trimtab.core.trace import Floats, Trace


def weight_gains(trace: Trace, chain: Chain) -> Floats:
    """RMS(w) · √fan_in of each layer at the first look: 1 keeps a linear signal's scale, √2 that of a ReLU network."""
    layers, weights = trace.of("layer"), {site.name: i for i, site in enumerate(trace.of("parameter"))}
    scale = trace[WEIGHT_RMS]
    gains: list[float] = []
    for group in chain.places:
        site = layers[group[0]]
        place, fan_in = weights.get(str(site.attrs.get("weight"))), site.attrs.get("fan_in")
        known = place is not None and isinstance(fan_in, (int, float)) and scale.size and place < scale.shape[1]
        gains.append(float(scale[0, place]) * float(fan_in) ** 0.5 if known else np.nan)  # type: ignore[arg-type]
    return np.array(gains)


@dataclass(frozen=True, slots=True)
class Signals:
    """RMS of what enters each layer of a chain at the first look: [L]."""

    rms: Floats

    @property
    def growth(self) -> float:
        """The largest over the first."""
        return float(np.nanmax(self.rms) / self.rms[0]) if self._known else 1.0

    @property
    def shrinkage(self) -> float:
        """The last over the first."""
        return float(self.rms[-1] / self.rms[0]) if self._known else 1.0

    @property
    def _known(self) -> bool:
        return bool(self.rms.size and np.isfinite(self.rms[0]) and self.rms[0] > 0 and np.isfinite(self.rms[-1]))


def signals(trace: Trace, chain: Chain) -> Signals:
    """The signal's size along a chain, as it was at the first look."""
    rms = trace[IN_RMS]
    if not rms.size:
        return Signals(np.empty(0))
    return Signals(np.array([rms[0, g[0]] if g[0] < rms.shape[1] else np.nan for g in chain.places]))


def saturated_at_start(trace: Trace) -> Floats:
    """Share of saturated outputs of each hidden activation over the first looks, one value per site that has any."""
    values = trace[SATURATED][:3]
    hidden = [i for i, site in enumerate(trace.of("activation")) if site.attrs.get("role") == "hidden"]
    columns = [values[:, i] for i in hidden if i < values.shape[1]]
    return np.array([float(np.nanmedian(c)) for c in columns if np.isfinite(c).any()], dtype=np.float64)
