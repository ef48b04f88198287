"""More examples in a batch: its gradient's noise falls with their number (mccandlish2018)."""

from math import log2

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.trace import Trace


def _size(finding: Finding) -> int:
    """The power of two nearest to the noise scale, from 16 to 256; 32 where nothing was measured."""
    scale = finding.evidence.get("noise_scale")
    return int(min(max(2 ** round(log2(max(scale, 1))), 16), 256)) if isinstance(scale, (int, float)) else 32


def _setting(finding: Finding, trace: Trace) -> tuple[str, ...]:
    batch = finding.evidence.get("batch") or finding.evidence.get("values")
    if not isinstance(batch, (int, float)) or batch <= 0:
        return ("8",)
    return (f"{max(_size(finding) / batch, 2):g}",)


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return f"loader = DataLoader(dataset, batch_size={_size(finding)}, shuffle=True)"


ENLARGE_BATCH = Remedy(
    name="enlarge-batch",
    place="data",
    treats=(
        Cause.NOISE,
        Cause.BATCH_STATISTICS,
    ),
    sentence="Take more examples into a batch, or accumulate the gradients of several batches before a step.",
    code=_code,
    parameter="the factor on the batch size",
    setting=_setting,
)
