"""Evaluate with the average of the weights over the last steps: noise of single steps is averaged away."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        f"optimizer = trimtab.optim.SGD(model.parameters(), lr=..., average=trimtab.average.EMA({value or 0.99}))\n"
        "with optimizer.averaged():   # around every evaluation\n"
        "    evaluate(model)"
    )


AVERAGE_WEIGHTS = Remedy(
    name="average-weights",
    place="step",
    treats=(Cause.NOISE,),
    sentence="Train on, and evaluate with the average of the weights.",
    code=_code,
    parameter="β of the average",
    setting=lambda finding, trace: ("0.99",),
)
