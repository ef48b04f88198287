"""Refuse or fill NaN and Inf before they reach the model: one such value makes every weight NaN in one step."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    share = finding.evidence.get("share")
    if isinstance(share, (int, float)) and share > 0.999:
        return (
            "sd = x_train.std(0).clip(1e-8)  # a constant feature has sd 0, and 0 / 0 is NaN\n"
            "x_train = (x_train - x_train.mean(0)) / sd"
        )
    return (
        "finite = torch.isfinite(x_train).flatten(1).all(1)\n"
        'print(f"{(~finite).sum()} of {len(finite)} rows hold NaN or Inf")\n'
        "x_train, y_train = x_train[finite], y_train[finite]  # or fill them in, as the data ask for"
    )


CLEAN_DATA = Remedy(
    name="clean-data",
    place="data",
    treats=(Cause.NONFINITE_DATA,),
    sentence="Remove or fill in the rows that hold NaN or Inf before they reach the model.",
    code=_code,
)
