"""The ε that guards a division and does nothing else: 1e-8 (kingma2015)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    name = trace.of("optimizer")[0].name if trace.of("optimizer") else "Adam"
    return f"optimizer = torch.optim.{name}(model.parameters(), lr=1e-3, eps={value or '1e-8'})"


LOWER_EPSILON = Remedy(
    name="lower-epsilon",
    place="optimizer",
    treats=(Cause.EPSILON,),
    sentence="Set ε back to 1e-8, below the scale of any gradient that matters.",
    code=_code,
    parameter="ε",
    setting=lambda finding, trace: ("1e-8",),
)
