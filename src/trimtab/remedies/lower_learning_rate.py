"""A smaller learning rate: plain descent is stable only below 2 over the largest curvature."""

from math import log10

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.signal import LEARNING_RATE
from trimtab.core.trace import Trace

HEALTHY_RATIO = 1e-3  # update over weight per step that a steady run makes


def _factor(finding: Finding) -> float:
    """What brings the ratio that was measured near the healthy one: between a tenth and a hundredth."""
    ratio = finding.evidence.get("update_ratio")
    if isinstance(ratio, (int, float)) and np.isfinite(ratio) and ratio > HEALTHY_RATIO:
        return min(max(10.0 ** round(log10(ratio / HEALTHY_RATIO)), 10.0), 100.0)
    return 10.0


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    rates = trace[LEARNING_RATE]
    finite = rates[np.isfinite(rates) & (rates > 0)]
    optimizers = trace.of("optimizer")
    name = optimizers[0].name if optimizers else "SGD"
    if not finite.size:
        return "lr = lr / 10"
    rate = float(finite.max())
    factor = float(value) if value else 1 / _factor(finding)
    return f"optimizer = torch.optim.{name}(model.parameters(), lr={rate * factor:g})   # was {rate:g}"


LOWER_LEARNING_RATE = Remedy(
    name="lower-learning-rate",
    place="optimizer",
    treats=(Cause.STEP_TOO_LARGE,),
    sentence="Lower the learning rate until the update is about 1/1000 of the weights per step.",
    code=_code,
    parameter="the factor on the learning rate, below 1",
    setting=lambda finding, trace: tuple(f"{f:g}" for f in dict.fromkeys((1 / _factor(finding), 0.1, 0.03, 0.01))),
)
