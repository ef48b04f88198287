"""LeakyReLU lets a silent unit learn again; a start at bias 0 keeps it from falling silent (lu2019)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "nn.LeakyReLU(0.01)   # in place of nn.ReLU(): a silent unit keeps a gradient\n"
        "nn.init.zeros_(layer.bias)   # no unit starts silent by its bias"
    )


REVIVE_UNITS = Remedy(
    name="revive-units",
    place="model",
    treats=(Cause.DEAD_UNITS,),
    sentence="Give silent units a gradient (LeakyReLU), start biases at 0 and take smaller steps.",
    code=_code,
)
