"""A clipping threshold that only rare gradients reach: above the median of the norms that were seen."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return f"torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={value or _threshold(finding)})"


def _threshold(finding: Finding) -> str:
    norm = finding.evidence.get("norm")
    return f"{float(f'{2 * norm:.1g}'):g}" if isinstance(norm, (int, float)) else "1"


LOOSEN_CLIPPING = Remedy(
    name="loosen-clipping",
    place="step",
    treats=(Cause.CLIPPING,),
    sentence="Raise the clipping threshold above the gradient's typical norm, so that only rare steps are clipped.",
    code=_code,
    parameter="the least threshold",
    setting=lambda finding, trace: (_threshold(finding),),
)
