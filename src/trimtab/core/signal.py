"""What can be measured: one table of signals, each with its site kind, unit and formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SiteKind = Literal["run", "loss", "optimizer", "layer", "activation", "parameter", "feature"]
SITE_KINDS: tuple[SiteKind, ...] = ("run", "loss", "optimizer", "layer", "activation", "parameter", "feature")


@dataclass(frozen=True, slots=True)
class Signal:
    """One measurable quantity; `per` says which kind of site its values belong to."""

    name: str
    per: SiteKind
    unit: str
    formula: str

    @property
    def dtype(self) -> str:
        """Storage type: per-step scalars keep double precision, per-site vectors single."""
        return "<f8" if self.per in ("run", "loss", "optimizer") else "<f4"


LOSS = Signal("loss", "loss", "loss", "the scalar on which backward was called, mean over the step's backwards")
LOSS_SCALE = Signal("loss_scale", "loss", "1", "factor that a GradScaler put on the loss (1 without one)")
LEARNING_RATE = Signal("learning_rate", "optimizer", "1", "lr of the first parameter group")
IN_RMS = Signal("in_rms", "layer", "1", "root mean square of the signal that enters the layer")
IN_SPREAD = Signal(
    "in_spread", "layer", "1", "sd over the examples of the signal that enters the layer, RMS over units"
)
DELTA_NORM = Signal("delta_norm", "layer", "loss", "‖dL/dφ_i‖₂ over the batch, φ_i the layer's output")
TIME_GAIN = Signal("time_gain", "layer", "1", "gain of ‖dL/dφ‖ per call backwards through a layer called repeatedly")
TIME_CALLS = Signal("time_calls", "layer", "calls", "how often the layer was called in one backward")
ZERO = Signal("zero", "activation", "fraction", "share of outputs that are exactly zero or below (ReLU-like)")
DEAD = Signal("dead", "activation", "fraction", "share of units without one positive output in the last 512 examples")
SATURATED = Signal(
    "saturated", "activation", "fraction", "share of outputs where the slope is below 5 % of its maximum"
)
STUCK = Signal("stuck", "activation", "fraction", "share of units saturated on every example of the batch")
OUT_SPREAD = Signal("out_spread", "activation", "1", "sd over the examples of the activation's output, RMS over units")
GRAD_RMS = Signal("grad_rms", "parameter", "loss/weight", "RMS of the gradient after backward, before any clipping")
GRAD_USED_RMS = Signal("grad_used_rms", "parameter", "loss/weight", "RMS of the gradient that the optimizer step used")
WEIGHT_RMS = Signal("weight_rms", "parameter", "weight", "RMS of the weights before the step")
UPDATE_RMS = Signal("update_rms", "parameter", "weight", "RMS of the difference that the step made to the weights")
FEATURE_MEAN = Signal("feature_mean", "feature", "data", "mean of the feature over the first batches")
FEATURE_SD = Signal("feature_sd", "feature", "data", "standard deviation of the feature over the first batches")
FEATURE_NONFINITE = Signal("feature_nonfinite", "feature", "fraction", "share of NaN or Inf in the feature")

SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        LOSS,
        LOSS_SCALE,
        LEARNING_RATE,
        IN_RMS,
        IN_SPREAD,
        DELTA_NORM,
        TIME_GAIN,
        TIME_CALLS,
        ZERO,
        DEAD,
        SATURATED,
        STUCK,
        OUT_SPREAD,
        GRAD_RMS,
        GRAD_USED_RMS,
        WEIGHT_RMS,
        UPDATE_RMS,
        FEATURE_MEAN,
        FEATURE_SD,
        FEATURE_NONFINITE,
    )
}
