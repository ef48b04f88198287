"""A normalisation that needs no batch: layer or group norm, the same in training and evaluation (wu2018)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    convolutional = any(site.attrs.get("op") == "conv" for site in trace.of("layer"))
    return (
        "nn.GroupNorm(8, channels)   # in place of nn.BatchNorm2d(channels)"
        if convolutional
        else "nn.LayerNorm(width)   # in place of nn.BatchNorm1d(width)"
    )


REPLACE_BATCH_NORM = Remedy(
    name="replace-batch-norm",
    place="model",
    treats=(Cause.BATCH_STATISTICS,),
    sentence="Normalise each example by itself: layer norm, or group norm for images.",
    code=_code,
    suits=lambda finding, trace: finding.code != "TT502",
)
