"""A normalisation that needs no batch: layer or group norm, the same in training and evaluation (wu2018)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace) -> str:
    if finding.code == "TT502":
        return (
            "nn.BatchNorm1d(width, momentum=0.1)   # the estimates then span some 20 batches\n"
            "trimtab.nn.exact_statistics(model, train_loader)   # or the exact ones of all the data, before evaluation"
        )
    convolutional = any(site.attrs.get("op") == "conv" for site in trace.of("layer"))
    return (
        "nn.GroupNorm(8, channels)   # in place of nn.BatchNorm2d(channels)"
        if convolutional
        else "nn.LayerNorm(width)   # in place of nn.BatchNorm1d(width)"
    )


REPLACE_BATCH_NORM = Remedy(
    name="replace-batch-norm",
    treats=(Cause.BATCH_STATISTICS,),
    sentence="Normalise each example by itself (layer norm, group norm), or let the estimates follow faster.",
    code=_code,
)
