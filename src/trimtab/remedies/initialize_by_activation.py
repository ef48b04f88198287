"""Weights whose scale keeps the gain near 1 for the activation that follows (glorot2010, he2015)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    functions = {site.attrs.get("fn") for site in trace.of("activation") if site.attrs.get("role") == "hidden"}
    smooth = functions and functions <= {"sigmoid", "tanh"}
    name = "tanh" if "tanh" in functions else "sigmoid"
    call = (
        f'nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain("{name}"))'
        if smooth
        else 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")'
    )
    return (
        "for layer in model.modules():\n"
        "    if isinstance(layer, (nn.Linear, nn.Conv2d)):\n"
        f"        {call}\n"
        "        if layer.bias is not None:\n"
        "            nn.init.zeros_(layer.bias)"
    )


INITIALIZE_BY_ACTIVATION = Remedy(
    name="initialize-by-activation",
    place="model",
    treats=(Cause.WEIGHT_SCALE,),
    sentence="Start the weights at the scale that keeps the signal's size from layer to layer.",
    code=_code,
)
