"""Weights in single precision: a step below half a last place of a half-precision weight is lost (micikevicius2018)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "model = model.float()   # weights and optimizer state in float32\n"
        'with torch.autocast("cuda", dtype=torch.bfloat16):   # or "cpu": only the computation in half precision\n'
        "    loss = loss_fn(model(x), y)"
    )


KEEP_FLOAT32 = Remedy(
    name="keep-float32",
    place="model",
    treats=(Cause.STEP_TOO_SMALL,),
    sentence="Keep the weights in float32 and compute in half precision by autocast.",
    code=_code,
    suits=lambda finding, trace: finding.evidence.get("swallowed_share") is not None,
)
