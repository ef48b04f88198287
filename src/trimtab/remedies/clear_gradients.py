"""Clear the gradients before each backward."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return "optimizer.zero_grad()   # before every loss.backward()\nloss.backward()\noptimizer.step()"


CLEAR_GRADIENTS = Remedy(
    name="clear-gradients",
    place="backward",
    treats=(Cause.STALE_GRADIENT,),
    sentence="Clear the gradients once for each step, before backward.",
    code=_code,
)
