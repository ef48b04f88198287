"""Let the watcher see what it could not."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    if finding.evidence.get("reason") == "compiled":
        return "TORCH_COMPILE_DISABLE=1 trimtab run train.py   # for the diagnosis only"
    return "checkpoint(block, x, use_reentrant=False)   # its layers stay visible"


WATCH_INSIDE = Remedy(
    name="watch-inside",
    place="loss",
    treats=(Cause.BLINDNESS,),
    sentence="Run once in a form that can be watched whole.",
    code=_code,
    suits=lambda finding, trace: finding.evidence.get("reason") in ("compiled", "checkpoint"),
)
