"""A learning rate that rises over the first steps: adaptive scales and layer norms settle before large steps."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    steps = value or str(_steps(trace))
    return (
        f"scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / {steps}, total_iters={steps})\n"
        "scheduler.step()   # after every optimizer.step()"
    )


def _steps(trace: Trace) -> int:
    """A tenth of the run, from 20 to 1000."""
    return min(max(trace.steps // 10, 20), 1000)


WARM_UP = Remedy(
    name="warm-up",
    place="optimizer",
    treats=(Cause.STEP_TOO_LARGE,),
    sentence="Let the learning rate rise over the first steps.",
    code=_code,
    parameter="steps until the rate is whole",
    setting=lambda finding, trace: (str(_steps(trace)), str(4 * _steps(trace))),
)
