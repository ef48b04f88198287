"""Batch or layer normalisation between layers: it holds the scale of the signal at 1 through depth."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    convolutional = _convolutional(trace)
    by_batch = value == "batch"
    if convolutional:
        norm = "nn.BatchNorm2d(channels)" if by_batch else "nn.GroupNorm(1, channels)"
    else:
        norm = "nn.BatchNorm1d(width)" if by_batch else "nn.LayerNorm(width)"
    layer = "nn.Conv2d(...)" if convolutional else "nn.Linear(...)"
    return f"nn.Sequential({layer}, {norm}, nn.ReLU())   # the same after each hidden layer"


def _convolutional(trace: Trace) -> bool:
    return any(site.attrs.get("op") == "conv" for site in trace.of("layer"))


NORMALIZE_LAYERS = Remedy(
    name="normalize-layers",
    place="model",
    treats=(Cause.DEPTH, Cause.SATURATION, Cause.ACTIVATION_SCALE),
    sentence="Normalise between the layers, so that no layer shrinks or grows what the next one gets.",
    code=_code,
    parameter="layer or batch",
    setting=lambda finding, trace: ("batch", "layer") if _convolutional(trace) else ("layer", "batch"),
    suits=lambda finding, trace: not finding.evidence.get("through_time"),
)
