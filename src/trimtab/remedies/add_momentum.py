"""Momentum adds up what little gradient there is, and carries over flat ground: v ← βv + g."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return f"optimizer = torch.optim.SGD(model.parameters(), lr=..., momentum={value or 0.9})   # or Adam"


ADD_MOMENTUM = Remedy(
    name="add-momentum",
    place="optimizer",
    treats=(
        Cause.FLATNESS,
        Cause.NOISE,
    ),
    sentence="Use momentum, which adds up small gradients of the same direction and averages noise away.",
    code=_code,
    parameter="β",
    setting=lambda finding, trace: ("0.9",),
)
