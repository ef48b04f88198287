"""Standardise the targets: y ← (y − μ) / σ, and turn predictions back by the inverse (lecun1998)."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "mean, sd = y_train.mean(0), y_train.std(0).clip(1e-8)  # from the training data alone\n"
        "y_train = (y_train - mean) / sd\n"
        "prediction = model(x) * sd + mean  # where predictions are used or scored in the old unit"
    )


def _setting(finding: Finding, trace: Trace) -> tuple[str, ...]:
    mean, sd = finding.evidence.get("target_mean"), finding.evidence.get("target_sd")
    if not isinstance(mean, (int, float)) or not isinstance(sd, (int, float)) or sd <= 0:
        return ()
    form = ":l1" if finding.evidence.get("compares") == "absolute" else ""
    return (f"{mean:.6g}:{sd:.6g}{form}",)


STANDARDIZE_TARGETS = Remedy(
    name="standardize-targets",
    place="data",
    treats=(Cause.TARGET_SCALE,),
    sentence="Standardise the targets to mean 0 and sd 1, and turn predictions back for use.",
    code=_code,
    parameter="MEAN:SD of the targets, and :l1 where the loss is an absolute error",
    setting=_setting,
)
