"""Start every unit differently: random weights at the scale that suits the activation (glorot2010)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "for layer in model.modules():\n"
        "    if isinstance(layer, (nn.Linear, nn.Conv2d)):\n"
        '        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\n'
        "        if layer.bias is not None:\n"
        "            nn.init.zeros_(layer.bias)"
    )


BREAK_SYMMETRY = Remedy(
    name="break-symmetry",
    place="model",
    treats=(Cause.SYMMETRY,),
    sentence="Start the weights at random, so that no two units are the same.",
    code=_code,
)
