"""A scale for each coordinate of its own: RMSProp, with momentum Adam (kingma2015)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return f"optimizer = torch.optim.Adam(model.parameters(), lr={value or 0.001})   # in place of SGD"


SCALE_EACH_COORDINATE = Remedy(
    name="scale-each-coordinate",
    place="optimizer",
    treats=(Cause.CONDITIONING, Cause.FLATNESS),
    sentence="Let the optimizer scale each coordinate by the size of its own gradients: RMSProp, or Adam.",
    code=_code,
    parameter="Adam's learning rate",
    setting=lambda finding, trace: ("0.001", "0.01"),
)
