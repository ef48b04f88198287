"""Running estimates that keep up with the batches: a tenth of each (ioffe2015), or exact ones of all the data."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        f"nn.BatchNorm1d(width, momentum={value or 0.1})   # the estimates then span some 20 batches\n"
        "trimtab.nn.exact_statistics(model, train_loader)   # or the exact ones of all the data, before evaluation"
    )


FOLLOW_STATISTICS = Remedy(
    name="follow-statistics",
    place="model",
    treats=(Cause.BATCH_STATISTICS,),
    sentence="Let the running estimates of batch norm follow the batches: a momentum of 0.1.",
    code=_code,
    suits=lambda finding, trace: finding.code == "TT502",
    parameter="the share of each batch in the estimates",
    setting=lambda finding, trace: ("0.1",),
)
