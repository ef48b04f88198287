"""A larger learning rate, from the update ratio that was measured."""

from math import floor, log10

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.signal import LEARNING_RATE
from trimtab.core.trace import Trace

HEALTHY_RATIO = 1e-3


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    rates = trace[LEARNING_RATE]
    finite = rates[np.isfinite(rates) & (rates > 0)]
    optimizers = trace.of("optimizer")
    if value == "hold":
        return "scheduler.step()   # once per epoch, not per batch; or a slower decay"
    if not finite.size:
        return "optimizer.step()   # after loss.backward(), in every iteration"
    rate, factor = float(finite[0]), float(value) if value else _factor(finding)
    return f"optimizer = torch.optim.{optimizers[0].name}(model.parameters(), lr={rate * factor:g})   # was {rate:g}"


def _factor(finding: Finding) -> float:
    """What brings the ratio that was measured near the healthy one, in powers of ten."""
    ratio = finding.evidence.get("update_ratio")
    if isinstance(ratio, (int, float)) and np.isfinite(ratio) and ratio > 0:
        return min(max(10.0 ** floor(log10(HEALTHY_RATIO / ratio)), 10.0), 1e6)
    return 10.0


def _settings(finding: Finding, trace: Trace) -> tuple[str, ...]:
    if finding.evidence.get("collapsed"):
        return ("hold",)
    factor = _factor(finding)
    return tuple(f"{f:g}" for f in (factor, 10 * factor, factor / 3))


RAISE_LEARNING_RATE = Remedy(
    name="raise-learning-rate",
    place="optimizer",
    treats=(Cause.STEP_TOO_SMALL,),
    sentence="Raise the learning rate until the update is about 1/1000 of the weights per step.",
    code=_code,
    suits=lambda finding, trace: finding.evidence.get("swallowed_share") is None,
    parameter="the factor on the learning rate, above 1; or hold: the rate of the first step, whatever a schedule does",
    setting=_settings,
)
