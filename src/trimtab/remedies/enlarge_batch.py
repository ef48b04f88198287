"""More examples in a batch: its gradient's noise falls with their number (mccandlish2018)."""

from math import log2

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace) -> str:
    batch, scale = finding.evidence.get("batch"), finding.evidence.get("noise_scale")
    size = 32
    if isinstance(batch, (int, float)) and isinstance(scale, (int, float)):
        size = int(min(max(2 ** round(log2(max(scale, 1))), 16), 256))
    return f"loader = DataLoader(dataset, batch_size={size}, shuffle=True)"


ENLARGE_BATCH = Remedy(
    name="enlarge-batch",
    treats=(
        Cause.NOISE,
        Cause.BATCH_STATISTICS,
    ),
    sentence="Take more examples into a batch, or accumulate the gradients of several batches before a step.",
    code=_code,
)
