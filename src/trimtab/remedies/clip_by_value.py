"""Clip each coordinate of the gradient: min(max(g, −c), c)."""

import numpy as np

from trimtab.core.cause import OF_SHORT_STEPS, Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.signal import GRAD_RMS
from trimtab.core.trace import Trace


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    threshold = value or _threshold(trace)
    return f"torch.nn.utils.clip_grad_value_(model.parameters(), {threshold})  # between backward and step"


def _threshold(trace: Trace) -> str:
    """Ten times the median RMS of the gradients that were seen: outliers of single coordinates are cut."""
    grads = trace[GRAD_RMS]
    finite = grads[np.isfinite(grads) & (grads > 0)]
    return f"{float(f'{10 * float(np.median(finite)):.1g}'):g}" if finite.size else "1"


CLIP_BY_VALUE = Remedy(
    name="clip-by-value",
    place="step",
    treats=(Cause.OUTLIERS, Cause.SPIKES),
    sentence="Clip every coordinate of the gradient between backward and step.",
    code=_code,
    suits=lambda finding, trace: finding.reveals not in OF_SHORT_STEPS,
    parameter="c, the largest coordinate of the gradient",
    setting=lambda finding, trace: (_threshold(trace),),
)
