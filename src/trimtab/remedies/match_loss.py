"""Give the loss what it takes: logits, and predictions of the targets' shape."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    if finding.code == "TT604":
        return "loss = loss_fn(prediction.squeeze(-1), target)   # the same shape on both sides"
    if finding.evidence.get("form") == "softmax, without a log":
        return "loss = F.cross_entropy(logits, target)   # in place of nll_loss on probabilities"
    return (
        "return logits   # at the end of forward: no softmax or sigmoid before cross_entropy or a loss with logits\n"
        "probabilities = logits.softmax(-1)   # only where probabilities are used"
    )


def _setting(finding: Finding, trace: Trace) -> tuple[str, ...]:
    if finding.code == "TT604":
        shape = str(finding.evidence.get("shapes")).partition("prediction of ")[2].partition(" ")[0]
        return ("squeeze",) if "×" in shape else ("unsqueeze",)
    form = str(finding.evidence.get("form") or "softmax").partition(",")[0]
    return (form if form in ("softmax", "sigmoid") else "softmax",)


MATCH_LOSS = Remedy(
    name="match-loss",
    place="loss",
    treats=(Cause.LOSS_FORM,),
    sentence="Give the loss what it takes: logits, in the shape of the targets.",
    code=_code,
    parameter="softmax, sigmoid or probabilities: what the model ends with; squeeze or unsqueeze: what its shape lacks",
    setting=_setting,
)
