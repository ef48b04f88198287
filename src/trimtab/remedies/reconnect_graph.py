"""Let the gradient through: no detach, .data, no_grad, NumPy or argmax between these parameters and the loss."""

import re

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    name = re.sub(r"\.(\d+)", r"[\1]", finding.where[0]) if finding.where else "layer"  # layers.0 is no Python
    if finding.evidence.get("called") is False:
        return f"x = self.{name}(x)  # {name} is made and never called: use it in forward, or remove it"
    return (
        f"features = {name}(x)  # no detach, .data, no_grad, numpy or argmax between it and the loss\n"
        "assert features.requires_grad"
    )


RECONNECT_GRAPH = Remedy(
    name="reconnect-graph",
    place="loss",
    treats=(Cause.DISCONNECTED,),
    sentence="Let the gradient pass: remove what cuts the way between these parameters and the loss.",
    code=_code,
)
