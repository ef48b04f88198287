"""Keep an operation inside its domain: ε under the root, log of a clamped value, logits to the loss."""

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace

_LINES = {
    "log": "torch.log(x.clamp_min(1e-8))   # or pass logits to a loss that applies log_softmax itself",
    "log2": "torch.log2(x.clamp_min(1e-8))",
    "log10": "torch.log10(x.clamp_min(1e-8))",
    "sqrt": "torch.sqrt(x + 1e-8)   # the slope of sqrt at 0 is infinite",
    "rsqrt": "torch.rsqrt(x + 1e-8)",
    "div": "a / (b + 1e-8)",
    "exp": "torch.logsumexp(x, dim)   # or torch.softmax: both subtract the maximum before exp",
    "std": "x.std(dim, correction=0) + 1e-8   # the unbiased sd of a single value is 0/0",
    "norm": "(x.square().sum(dim) + 1e-8).sqrt()   # the slope of the norm at 0 is 0/0",
}


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    operation = str(finding.evidence.get("operation") or "")
    return _LINES.get(
        operation,
        "with torch.autograd.detect_anomaly():   # for a few steps: names the line whose gradient is not finite\n"
        "    loss.backward()",
    )


GUARD_OPERATION = Remedy(
    name="guard-operation",
    place="loss",
    treats=(Cause.NUMERICS,),
    sentence="Keep the operation inside its domain.",
    code=_code,
)
