"""ReLU in place of sigmoid or tanh: its slope is 1 wherever the unit is active (he2015)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _suits(finding: Finding, trace: Trace) -> bool:
    return any(
        site.attrs.get("fn") in ("sigmoid", "tanh") and site.attrs.get("role") == "hidden"
        for site in trace.of("activation")
    ) and not finding.evidence.get("through_time")


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    functions = sorted(
        {
            str(site.attrs["fn"])
            for site in trace.of("activation")
            if site.attrs.get("fn") in ("sigmoid", "tanh") and site.attrs.get("role") == "hidden"
        }
    )
    before = " / ".join(f"nn.{'Sigmoid' if fn == 'sigmoid' else 'Tanh'}()" for fn in functions)
    return (
        f"nn.ReLU()   # between the layers, in place of {before}\n"
        'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")   # for every weight layer'
    )


REPLACE_ACTIVATION = Remedy(
    name="replace-activation",
    place="model",
    treats=(Cause.ACTIVATION, Cause.SATURATION),
    sentence="Replace the saturating activation between layers by ReLU, with the initialisation that belongs to it.",
    code=_code,
    suits=_suits,
)
