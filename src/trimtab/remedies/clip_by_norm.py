"""Clip the gradient by its global norm: g ← c g / ‖g‖ where ‖g‖ > c (pascanu2013)."""

import numpy as np

from trimtab.core.cause import OF_SHORT_STEPS, Cause
from trimtab.core.finding import Finding
from trimtab.core.remedy import Remedy
from trimtab.core.signal import GRAD_RMS
from trimtab.core.trace import Trace


def _threshold(trace: Trace) -> str:
    """The median of the finite global norms seen, at most 1: what most steps keep to."""
    numel = np.array([float(site.attrs.get("numel") or 1) for site in trace.of("parameter")])
    grads = trace[GRAD_RMS]
    if not grads.size:
        return "1"
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.nansum(grads**2 * numel[: grads.shape[1]], axis=1))
    norms = norms[np.isfinite(norms) & (norms > 0)]
    return f"{float(f'{min(np.median(norms), 1.0):.1g}'):g}" if norms.size else "1"


def _code(finding: Finding, trace: Trace, value: str | None) -> str:
    return (
        "loss.backward()\n"
        f"torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={value or _threshold(trace)})\n"
        "optimizer.step()"
    )


CLIP_BY_NORM = Remedy(
    name="clip-by-norm",
    place="step",
    treats=(Cause.OUTLIERS, Cause.GRADIENT_SCALE, Cause.SPIKES),
    sentence="Clip the gradient by its norm between backward and step.",
    code=_code,
    suits=lambda finding, trace: finding.reveals not in OF_SHORT_STEPS,
    parameter="c, the longest norm of the gradient over all parameters",
    setting=lambda finding, trace: (_threshold(trace),),
)
