"""A velocity that forgets: 0.9 averages some ten gradients, 0.999 a thousand."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    name = trace.of("optimizer")[0].name if trace.of("optimizer") else "SGD"
    return f"optimizer = torch.optim.{name}(model.parameters(), lr=..., momentum={value or 0.9})"


LOWER_MOMENTUM = Remedy(
    name="lower-momentum",
    place="optimizer",
    treats=(Cause.STEP_TOO_LARGE,),
    sentence="Lower the momentum to 0.9: it multiplies the step by 1/(1 − β).",
    code=_code,
    suits=lambda finding, trace: any(
        isinstance(m := site.attrs.get("momentum"), (int, float)) and m >= 0.97 for site in trace.of("optimizer")
    ),
    parameter="β",
    setting=lambda finding, trace: ("0.9",),
)
