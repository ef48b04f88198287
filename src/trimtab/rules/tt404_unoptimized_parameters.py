"""TT404 unoptimized-parameters."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import GRAD_RMS, LOSS, OWNED, REACHED
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class UnoptimizedParameters(Rule):
    """Parameters take part in the loss and get gradients, but are in no optimizer.

    What it measures: the parameters that a backward pass reaches, and whether any optimizer holds them; over the looks
    of the second half of the run.

    Why it matters: they get a gradient at each step and never move. It happens where the optimizer was given the head
    alone, where layers are kept in a plain list that `parameters()` does not enter, or where the model (or a layer of
    it) was made anew after the optimizer.

    When it is wrong: an input that is optimised through a network that stands still (style transfer, an adversarial
    example) leaves all of the network without an optimizer, on purpose: a note where the loss falls. Frozen parameters
    ask for no gradient and are not counted.

    Sources: clinic.
    """

    code = "TT404"
    name = "unoptimized-parameters"
    needs = (OWNED, REACHED, GRAD_RMS, LOSS)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.UNOPTIMIZED
    least_steps = 3
    limits = {
        "looks": Limit(3, "clinic", "looks at which the parameter had a gradient and no optimizer"),
        "share": Limit(0.95, "clinic", "share of the later looks that must show it: optimizers may be made late"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for all of them."""
        sites = trace.of("parameter")
        orphans = [i for i in range(len(sites)) if self._is_orphan(trace, i)]
        if not orphans:
            return []
        numel = [float(site.attrs.get("numel") or 1) for site in sites]
        held = [i for i in range(len(sites)) if (measured(trace, OWNED, i) > 0).any()]
        in_use = any((measured(trace, REACHED, i) > 0).any() for i in range(len(sites)))
        layers = tuple(dict.fromkeys(str(sites[i].attrs.get("layer") or sites[i].name) for i in orphans))
        evidence: dict[str, Scalar] = {
            "parameters": len(orphans),
            "of": len(orphans) + len(held),
            "share": sum(numel[i] for i in orphans) / max(sum(numel[i] for i in (*orphans, *held)), 1),
            "optimizer_in_use": in_use,
        }
        shown = layers[0] if len(layers) == 1 else f"{layers[0]} and {len(layers) - 1} more"
        message = (
            f"{len(orphans)} of {len(orphans) + len(held)} parameters get gradients and are in no optimizer: {shown}"
        )
        if not in_use:
            message += "; none of those that the optimizer holds takes part in the loss"
        course = main_course(trace)
        through = not any(sites[i].attrs.get("module") for i in held) and in_use
        severity = Severity.NOTE if through and course is not None and course.learned_well else Severity.FAIL
        return [self.finding(severity, layers, 0, message, evidence, sureness=0.95)]

    def _is_orphan(self, trace: Trace, place: int) -> bool:
        owned = measured(trace, OWNED, place)
        late = owned[len(owned) // 2 :]
        if len(owned) < self.limits["looks"].value or (late > 0).mean() > 1 - self.limits["share"].value:
            return False
        grads = measured(trace, GRAD_RMS, place)
        return bool(grads.size == 0 or (grads > 0).any())

    @staticmethod
    def sick() -> Trace:
        """A backbone that gets gradients, beside a head that the optimizer holds."""
        return _example(np.zeros(8))

    @staticmethod
    def healthy() -> Trace:
        """A backbone that is given to the optimizer after the first steps."""
        return _example(np.array([0.0, 0.0, 1, 1, 1, 1, 1, 1]))


def _example(owned: np.ndarray) -> Trace:
    sites = [
        Site("parameter", f"{layer}.weight", {"role": "weight", "layer": layer, "numel": 64, "module": True})
        for layer in ("backbone", "head")
    ]
    return synthetic_trace(
        {"parameter": sites, "loss": ["train.py:9"]},
        {
            OWNED: np.stack([owned, np.ones(8)], 1),
            REACHED: np.stack([np.where(owned > 0, 1.0, np.nan), np.ones(8)], 1),
            GRAD_RMS: np.full((8, 2), 0.1),
            LOSS: np.linspace(2.3, 2.0, 8),
        },
    )
