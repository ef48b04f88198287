"""Refuse or fill NaN and Inf before they reach the model: one such value makes every weight NaN in one step."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace) -> str:
    return (
        "finite = torch.isfinite(x_train).flatten(1).all(1)\n"
        'print(f"{(~finite).sum()} of {len(finite)} rows hold NaN or Inf")\n'
        "x_train, y_train = x_train[finite], y_train[finite]   # or fill them in, as the data ask for"
    )


CLEAN_DATA = Remedy(
    name="clean-data",
    treats=(Cause.NONFINITE_DATA,),
    sentence="Remove or fill in the rows that hold NaN or Inf before they reach the model.",
    code=_code,
)
