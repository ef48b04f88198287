"""What can be measured: one table of signals, each with its site kind, unit and formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SiteKind = Literal["run", "loss", "objective", "optimizer", "model", "layer", "activation", "parameter", "feature"]
SITE_KINDS: tuple[SiteKind, ...] = get_args(SiteKind)


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
        return "<f8" if self.per in ("run", "loss", "objective", "optimizer") else "<f4"


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
TARGET_MEAN = Signal("target_mean", "objective", "target", "mean over the batch of each example's mean target")
TARGET_SD = Signal("target_sd", "objective", "target", "sd over the batch of each example's mean target")
TARGET_SIZE = Signal("target_size", "objective", "target", "RMS of the targets, of the largest column")
TARGET_COUNT = Signal("target_count", "objective", "examples", "targets in the batch")
OUTPUT_SIZE = Signal("output_size", "objective", "target", "RMS of the predictions that are compared with targets")
MISFIT = Signal("misfit", "objective", "target²", "mean squared difference of prediction and target")
SURPRISE = Signal("surprise", "objective", "nat", "mean −log p of the target, of a classifier")
ACCURACY = Signal("accuracy", "objective", "fraction", "share of the batch whose likeliest class is the target")
EVALUATION_LOSS = Signal("evaluation_loss", "run", "loss", "a loss that the script computes without gradient")
SIMPLEX = Signal(
    "simplex", "objective", "1", "largest score of the batch where all scores are probabilities: ≥ 0, of sum 1; else 0"
)
BATCH_VALUES = Signal("batch_values", "layer", "values", "values a channel from which batch norm takes its statistics")
BATCH_MODE = Signal("batch_mode", "layer", "flag", "1 where batch norm uses the batch's statistics, 0 its estimates")
MEAN_DRIFT = Signal(
    "mean_drift", "layer", "1", "|running mean − batch mean| in sds of the batch, median over the channels"
)
VARIANCE_DRIFT = Signal(
    "variance_drift", "layer", "1", "|log(running variance / batch variance)|, median over the channels"
)
TRAINING_MODE = Signal(
    "training_mode", "model", "flag", "1 where the model is in training mode in a forward pass with gradient"
)
EVALUATION_MODE = Signal(
    "evaluation_mode", "model", "flag", "1 where the model is in training mode in a forward pass without gradient"
)
LEFTOVER = Signal(
    "leftover", "optimizer", "flag", "1 where a step uses gradients that an earlier step has used already"
)
GRADIENT_DOT = Signal("gradient_dot", "run", "loss²/weight²", "inner product of two successive gradients, on a sample")
GRADIENT_POWER = Signal("gradient_power", "run", "loss²/weight²", "‖g‖² of the same sample of the gradient")
SWALLOWED = Signal(
    "swallowed", "parameter", "fraction", "share of half-precision weights with a gradient that a step left alone"
)
REACHED = Signal("reached", "parameter", "flag", "1 where an optimizer's parameter has a gradient, 0 where it has none")
CALLED = Signal("called", "parameter", "flag", "1 where the module of a parameter without gradient was called")
OWNED = Signal("owned", "parameter", "flag", "1 where a parameter that the backward reached is in an optimizer")
UNIT_SPREAD = Signal(
    "unit_spread", "parameter", "1", "sd between the units of a weight over its RMS: 0 where all agree"
)
EPSILON_SHARE = Signal(
    "epsilon_share", "parameter", "fraction", "share of coordinates whose scale √s is below the optimizer's ε"
)
WEIGHT_DECAY = Signal("weight_decay", "parameter", "1", "λ of a decay that is added to the gradient: g + λw")
WEIGHT_SHRINKAGE = Signal(
    "weight_shrinkage", "parameter", "fraction", "αλ: share of the weight that a decoupled decay takes at each step"
)
COLUMN_SPREAD = Signal(
    "column_spread",
    "parameter",
    "1",
    "gradient RMS of the 90th percentile over that of the 10th, over a weight's inputs",
)
FEATURE_MEAN = Signal("feature_mean", "feature", "data", "mean of the feature over the first batches")
FEATURE_SD = Signal("feature_sd", "feature", "data", "standard deviation of the feature over the first batches")
FEATURE_NONFINITE = Signal("feature_nonfinite", "feature", "fraction", "share of NaN or Inf in the feature")

SIGNALS: dict[str, Signal] = {value.name: value for value in list(globals().values()) if isinstance(value, Signal)}
