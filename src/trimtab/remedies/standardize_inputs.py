"""Standardise the inputs: x ← (x − μ) / σ per feature, μ and σ from the training data alone (lecun1998)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    fed = {site.name: site.attrs.get("op") for site in trace.of("layer")}
    over, keep, what = (
        ("(0, 2, 3)", ", keepdim=True", "channel") if "conv" in map(fed.get, finding.where) else ("0", "", "feature")
    )
    return (
        f"mean = x_train.mean({over}{keep})  # per {what}, from the training data alone\n"
        f"sd = x_train.std({over}{keep}).clip(1e-8)\n"
        "x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd"
    )


STANDARDIZE_INPUTS = Remedy(
    name="standardize-inputs",
    place="data",
    treats=(Cause.INPUT_SCALE,),
    sentence="Standardise each feature to mean 0 and sd 1, with the statistics of the training data.",
    code=_code,
)
