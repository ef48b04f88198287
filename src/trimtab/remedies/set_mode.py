"""train() before training, eval() before evaluation: each epoch anew."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "model.train()   # at the start of each epoch, before the first batch\n"
        "...\n"
        "model.eval()   # before each evaluation\n"
        "with torch.no_grad():\n"
        "    ..."
    )


SET_MODE = Remedy(
    name="set-mode",
    place="call",
    treats=(Cause.MODE,),
    sentence="Call model.train() at the start of every epoch, and model.eval() before every evaluation.",
    code=_code,
)
