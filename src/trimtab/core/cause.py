"""The closed list of causes that a finding may suspect or reveal."""

from __future__ import annotations

from enum import Enum


class Cause(Enum):
    """Why a run is sick. The value is the public name; `sentence` says it in words.

    They stand in the order in which they can bring each other about: `core/ordering.py` goes by it.
    """

    NONFINITE_DATA = "nonfinite-data"
    LOSS_FORM = "loss-form"
    UNOPTIMIZED = "unoptimized"
    DISCONNECTED = "disconnected"
    STALE_GRADIENT = "stale-gradient"
    MODE = "mode"
    DATA_ORDER = "data-order"
    INPUT_SCALE = "input-scale"
    TARGET_SCALE = "target-scale"
    OUTLIERS = "outliers"
    SYMMETRY = "symmetry"
    WEIGHT_SCALE = "weight-scale"
    BATCH_STATISTICS = "batch-statistics"
    ACTIVATION_SCALE = "activation-scale"
    GRADIENT_SCALE = "gradient-scale"
    WEIGHT_DECAY = "weight-decay"
    STEP_TOO_LARGE = "step-too-large"
    CLIPPING = "clipping"
    EPSILON = "epsilon"
    NUMERICS = "numerics"
    DEAD_UNITS = "dead-units"
    SATURATION = "saturation"
    ACTIVATION = "contracting-activation"
    DEPTH = "depth"
    SPIKES = "spikes"
    NOISE = "noise"
    CONDITIONING = "conditioning"
    FLATNESS = "flatness"
    STEP_TOO_SMALL = "step-too-small"
    OBJECTIVE = "objective"
    BLINDNESS = "blindness"

    @property
    def sentence(self) -> str:
        """The cause in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.NONFINITE_DATA: "the data contain NaN or Inf",
    Cause.LOSS_FORM: "what the model puts out is not what this loss takes",
    Cause.UNOPTIMIZED: "the optimizer does not hold the parameters that the loss depends on",
    Cause.DISCONNECTED: "the way from the loss back to these parameters is cut",
    Cause.STALE_GRADIENT: "each backward adds to the gradients of the steps before, which are never cleared",
    Cause.MODE: "dropout and batch norm do in training what they should do in evaluation, or the other way round",
    Cause.DATA_ORDER: "successive batches are not drawn alike: each step forgets what the one before has taught",
    Cause.INPUT_SCALE: "the features fed to the model are far from mean 0 and sd 1",
    Cause.TARGET_SCALE: "the targets are far from what a fresh model puts out: mean 0 and a size of about 1",
    Cause.OUTLIERS: "a few examples lie so far off that the loss, and with it the steps, are mostly theirs",
    Cause.SYMMETRY: "units that start alike get the same gradient and stay alike",
    Cause.WEIGHT_SCALE: "the weights start at a scale that shrinks or grows the signal layer by layer",
    Cause.BATCH_STATISTICS: "mean and variance come from too few values, or lag behind: training and evaluation differ",
    Cause.ACTIVATION_SCALE: "nothing holds the activations' size as they pass from layer to layer",
    Cause.GRADIENT_SCALE: "the gradient's scale differs widely between layers",
    Cause.WEIGHT_DECAY: "the decay pulls the weights to 0 harder than the gradient moves them",
    Cause.STEP_TOO_LARGE: "the steps are too large for the curvature of the loss",
    Cause.CLIPPING: "the clipping threshold, not the gradient, sets the length of the steps",
    Cause.EPSILON: "ε is larger than the gradient's scale, which it should only guard: steps shrink with the gradient",
    Cause.NUMERICS: "an operation leaves its domain or the range of its number format",
    Cause.DEAD_UNITS: "units that put out zero on every example get no gradient",
    Cause.SATURATION: "the units sit where their activation is flat",
    Cause.ACTIVATION: "the activation's slope is below 1 (a sigmoid's at most 1/4): each layer shrinks the gradient",
    Cause.DEPTH: "the chain of layers (or time steps) is long and nothing keeps its gain near 1",
    Cause.SPIKES: "a few batches have gradients many times the usual length, and undo what the others have done",
    Cause.NOISE: "batches are so small that their gradients hardly agree in direction",
    Cause.CONDITIONING: "one learning rate cannot suit coordinates whose gradients differ so much in scale",
    Cause.STEP_TOO_SMALL: "the steps are too small to move the weights",
    Cause.FLATNESS: "the loss is flat here, at a saddle point or on a plateau: there is next to no gradient to follow",
    Cause.OBJECTIVE: "the steps do not descend this loss: a wrong sign, or gradients of earlier steps added in",
    Cause.BLINDNESS: "part of the run cannot be seen from outside",
}

# Faults of the program itself. Where one is found, whatever the training does may follow from it.
OF_THE_PROGRAM = (
    Cause.NONFINITE_DATA,
    Cause.LOSS_FORM,
    Cause.UNOPTIMIZED,
    Cause.DISCONNECTED,
    Cause.STALE_GRADIENT,
    Cause.MODE,
    Cause.DATA_ORDER,
)
# Steps that are too short already: what shortens them further is no remedy.
OF_SHORT_STEPS = (Cause.ACTIVATION, Cause.DEPTH, Cause.STEP_TOO_SMALL, Cause.FLATNESS)
# What a run begins with.
OF_THE_START = (Cause.INPUT_SCALE, Cause.TARGET_SCALE, Cause.OUTLIERS, Cause.SYMMETRY, Cause.WEIGHT_SCALE)
