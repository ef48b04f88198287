"""Give the optimizer every parameter that is to learn."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    name = trace.of("optimizer")[0].name if trace.of("optimizer") else "Adam"
    return (
        "self.layers = nn.ModuleList(layers)   # a plain list hides its layers from model.parameters()\n"
        f"optimizer = torch.optim.{name}(model.parameters(), lr=...)   # after the model is complete"
    )


OPTIMIZE_ALL_PARAMETERS = Remedy(
    name="optimize-all-parameters",
    place="optimizer",
    treats=(Cause.UNOPTIMIZED,),
    sentence="Make the optimizer after the model, of all of the model's parameters.",
    code=_code,
)
