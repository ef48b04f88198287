"""Step down the loss that is meant: the right sign, and the gradient of this step alone."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    if isinstance(now := finding.evidence.get("now"), float) and now < 0:
        return "loss = -log_likelihood   # what is minimised has a minimum: mind the sign"
    return "optimizer.zero_grad()   # before every loss.backward()\nloss.backward()\noptimizer.step()"


DESCEND_THE_LOSS = Remedy(
    name="descend-the-loss",
    place="backward",
    treats=(Cause.OBJECTIVE,),
    sentence="Check the sign of the loss, and clear the gradient before each backward.",
    code=_code,
)
