"""The closed list of causes that a finding may suspect or reveal."""

from __future__ import annotations

from enum import Enum


class Cause(Enum):
    """Why a run is sick. The value is the public name; `sentence` says it in words."""

    NONFINITE_DATA = "nonfinite-data"
    INPUT_SCALE = "input-scale"
    WEIGHT_SCALE = "weight-scale"
    SATURATION = "saturation"
    ACTIVATION = "contracting-activation"
    DEPTH = "depth"
    STEP_TOO_LARGE = "step-too-large"
    STEP_TOO_SMALL = "step-too-small"
    GRADIENT_SCALE = "gradient-scale"
    DEAD_UNITS = "dead-units"
    NUMERICS = "numerics"
    OBJECTIVE = "objective"
    BLINDNESS = "blindness"

    @property
    def sentence(self) -> str:
        """The cause in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.NONFINITE_DATA: "the data contain NaN or Inf",
    Cause.INPUT_SCALE: "the features fed to the model are far from mean 0 and sd 1",
    Cause.WEIGHT_SCALE: "the weights start at a scale that shrinks or grows the signal layer by layer",
    Cause.SATURATION: "the units sit where their activation is flat",
    Cause.ACTIVATION: "the activation's slope is below 1 (a sigmoid's at most 1/4): each layer shrinks the gradient",
    Cause.DEPTH: "the chain of layers (or time steps) is long and nothing keeps its gain near 1",
    Cause.STEP_TOO_LARGE: "the steps are too large for the curvature of the loss",
    Cause.STEP_TOO_SMALL: "the steps are too small to move the weights",
    Cause.GRADIENT_SCALE: "the gradient's scale differs widely between layers",
    Cause.DEAD_UNITS: "units that put out zero on every example get no gradient",
    Cause.NUMERICS: "an operation leaves its domain or the range of its number format",
    Cause.OBJECTIVE: "the steps do not descend this loss: a wrong sign, or gradients of earlier steps added in",
    Cause.BLINDNESS: "part of the run cannot be seen from outside",
}
