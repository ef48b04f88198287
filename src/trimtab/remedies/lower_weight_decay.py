"""A weight decay that regularises and does not rule: 1e-4 for SGD, 1e-2 where it is decoupled."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    optimizers = trace.of("optimizer")
    name = optimizers[0].name if optimizers else "SGD"
    was = optimizers[0].attrs.get("weight_decay") if optimizers else None
    note = f"   # was {was:g}" if isinstance(was, (int, float)) else ""
    return f"optimizer = torch.optim.{name}(model.parameters(), lr=..., weight_decay={value or _value(trace)}){note}"


def _value(trace: Trace) -> str:
    return "1e-2" if any("AdamW" in site.name for site in trace.of("optimizer")) else "1e-4"


LOWER_WEIGHT_DECAY = Remedy(
    name="lower-weight-decay",
    place="optimizer",
    treats=(Cause.WEIGHT_DECAY,),
    sentence="Lower the weight decay by a factor of a hundred or more.",
    code=_code,
    parameter="the weight decay",
    setting=lambda finding, trace: (_value(trace), "0"),
)
