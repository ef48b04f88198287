"""TT503 wrong-mode."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import adversarial
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import EVALUATION_MODE, TRAINING_MODE, Signal
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Ints, Scalar, Site, Trace


class WrongMode(Rule):
    """The model trains in evaluation mode, or is evaluated in training mode.

    What it measures: the `training` flag of every model that has dropout or batch norm, whenever it is called: with
    gradient, as for a step, and without, inside `no_grad`, as for an evaluation.

    Why it matters: after an evaluation the model stays in evaluation mode until `train()` is called: dropout is off
    from then on, and batch norm works by estimates that no longer move. An evaluation in training mode drops units at
    random, depends on the other examples of its batch, and moves the running estimates by test data.

    When it is wrong: a call without gradient that is part of every step (fakes for a discriminator, a teacher) is no
    evaluation and is not judged; nor are models whose batch norms are frozen on purpose.

    Sources: ioffe2015, srivastava2014.
    """

    code = "TT503"
    name = "wrong-mode"
    needs = (TRAINING_MODE, EVALUATION_MODE)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.MODE
    least_steps = 5
    limits = {
        "eval_share": Limit(0.5, "clinic", "share of the later looks at training steps that were in evaluation mode"),
        "often": Limit(0.34, "clinic", "calls without gradient for each step: more are part of the step"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding per model."""
        if adversarial(trace):
            return []
        found: list[Finding] = []
        for place, site in enumerate(trace.of("model")):
            finding = self._training(trace, place, site) or self._evaluation(trace, place, site)
            found += [finding] if finding is not None else []
        return found

    def _training(self, trace: Trace, place: int, site: Site) -> Finding | None:
        steps, flags = _seen(trace, TRAINING_MODE, place)
        if len(flags) < 3:
            return None
        late = steps >= trace.steps / 2
        judged = flags[late] if late.sum() >= 2 else flags
        if (judged == 0).mean() <= self.limits["eval_share"].value:
            return None
        first = int(steps[np.flatnonzero(flags == 0)[0]])
        began = "from the start" if (flags == 0).all() else f"since step {first} at the latest"
        message = (
            f"{site.name} trains in evaluation mode {began}: its {_parts(site)} do not do what they do in training"
        )
        evidence: dict[str, Scalar] = {
            "eval_mode_share": float((judged == 0).mean()),
            "layers": site.attrs.get("stateful"),
        }
        return self.finding(Severity.FAIL, (site.name,), first, message, evidence, sureness=0.9)

    def _evaluation(self, trace: Trace, place: int, site: Site) -> Finding | None:
        steps, flags = _seen(trace, EVALUATION_MODE, place)
        if not len(flags) or (flags == 0).any() or len(flags) > self.limits["often"].value * max(trace.steps, 1):
            return None
        message = (
            f"{site.name} is evaluated in training mode, at all {len(flags)} times: "
            f"its {_parts(site)} change what comes out"
        )
        evidence: dict[str, Scalar] = {"evaluations": len(flags), "layers": site.attrs.get("stateful")}
        return self.finding(Severity.FAIL, (site.name,), int(steps[0]), message, evidence, sureness=0.8)

    @staticmethod
    def sick() -> Trace:
        """A model that goes on training in evaluation mode after its first evaluation."""
        return _example(np.r_[np.ones(10), np.zeros(30)], [(10, 0.0), (20, 0.0)])

    @staticmethod
    def healthy() -> Trace:
        """Training in training mode, evaluations in evaluation mode."""
        return _example(np.ones(40), [(10, 0.0), (20, 0.0)])


def _seen(trace: Trace, signal: Signal, place: int) -> tuple[Ints, Floats]:
    """Steps and flags of a model where it was called."""
    flags = column(trace, signal, place)
    known = np.isfinite(flags)
    return trace.at(signal)[: len(flags)][known], flags[known]


def _parts(site: Site) -> str:
    count = site.attrs.get("stateful")
    return (
        f"{count} layers of dropout and batch norm" if isinstance(count, int) and count > 1 else "dropout or batch norm"
    )


def _example(training: Floats, evaluations: list[tuple[int, float]]) -> Trace:
    at = np.array([step for step, _ in evaluations])
    flags = np.array([flag for _, flag in evaluations])
    return synthetic_trace(
        {"model": [Site("model", "Net", {"stateful": 2})]},
        {TRAINING_MODE: training, EVALUATION_MODE: (at, flags)},
    )
