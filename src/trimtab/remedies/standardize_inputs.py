"""Standardise the inputs: x ← (x − μ) / σ per feature, μ and σ from the training data alone (lecun1998)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace) -> str:
    return (
        "mean, sd = x_train.mean(0), x_train.std(0).clamp_min(1e-8)   # from the training data alone\n"
        "x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd"
        if finding.evidence.get("op") != "conv"
        else "mean, sd = x_train.mean((0, 2, 3), keepdim=True), x_train.std((0, 2, 3), keepdim=True)   # per channel\n"
        "x_train, x_test = (x_train - mean) / sd, (x_test - mean) / sd"
    )


STANDARDIZE_INPUTS = Remedy(
    name="standardize-inputs",
    treats=(Cause.INPUT_SCALE,),
    sentence="Standardise each feature to mean 0 and sd 1, with the statistics of the training data.",
    code=_code,
)
