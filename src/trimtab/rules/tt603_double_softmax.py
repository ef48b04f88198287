"""TT603 double-softmax."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS, SIMPLEX
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace

FORMS = ("softmax", "sigmoid", "probabilities")


class DoubleSoftmax(Rule):
    """Softmax or sigmoid stands before a loss that applies its own.

    What it measures: the operations between the model and the loss, in the graph of the loss itself: a softmax or
    sigmoid whose result goes into the log_softmax of a cross entropy, or into the sigmoid of a binary cross entropy
    with logits; and a negative log likelihood that is given probabilities. Where the way between is longer, the scores
    tell: those that are never below 0, never above 1 and always of sum 1 have been through a softmax.

    Why it matters: the second squashing sees numbers between 0 and 1 only. The loss cannot come near 0 (with ten
    classes not below 1.46), the gradient is small everywhere, and confident mistakes hardly count.

    When it is wrong: a log_softmax before a cross entropy changes nothing and is not reported. Easy tasks are learned
    in spite of it; the loss is still not the one that was meant.

    Sources: clinic.
    """

    code = "TT603"
    name = "double-softmax"
    needs = (SIMPLEX, LOSS)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.LOSS_FORM
    limits = {
        "looks": Limit(10, "clinic", "batches whose scores must all be probabilities"),
        "largest": Limit(0.6, "clinic", "largest score in a batch: fresh logits are small enough to pass by chance"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding: of an objective of that form, or of one whose scores are probabilities in all looks."""
        found = [self._finding(site) for site in trace.of("objective") if site.attrs.get("form") in FORMS]
        found += [
            self._by_value(site) for place, site in enumerate(trace.of("objective")) if self._squashed(trace, place)
        ]
        return found[:1]

    def _squashed(self, trace: Trace, place: int) -> bool:
        largest = measured(trace, SIMPLEX, place)
        late = largest[len(largest) // 2 :]
        enough = len(largest) >= self.limits["looks"].value
        return enough and bool((largest > 0).all()) and float(np.median(late)) > self.limits["largest"].value

    def _by_value(self, site: Site) -> Finding:
        line, classes = str(site.attrs.get("line")), site.attrs.get("classes")
        message = (
            f"the scores that the loss at {line} takes for logits are probabilities in every batch: none below 0 or "
            f"above 1, and of sum 1 over {classes} classes"
        )
        return self.finding(Severity.FAIL, (line,), 0, message, {"form": "by value", "classes": classes}, sureness=0.9)

    def _finding(self, site: Site) -> Finding:
        form, line = str(site.attrs.get("form")), str(site.attrs.get("line"))
        message = (
            f"the loss at {line} applies its own log-softmax or sigmoid to what has been through a {form} already"
            if form != "probabilities"
            else f"the loss at {line} takes log-probabilities, and is given probabilities"
        )
        evidence: dict[str, Scalar] = {"form": site.attrs.get("detail"), "classes": site.attrs.get("classes")}
        return self.finding(Severity.FAIL, (line,), 0, message, evidence, sureness=0.97)

    @staticmethod
    def sick() -> Trace:
        """Softmax, then cross entropy."""
        return _example("softmax")

    @staticmethod
    def healthy() -> Trace:
        """Logits into cross entropy."""
        return _example(None)


def _example(form: str | None) -> Trace:
    attrs: dict[str, Scalar] = {"compares": "cross_entropy", "classes": 10, "line": "train.py:9", "form": form}
    return synthetic_trace(
        {"objective": [Site("objective", "cross_entropy at train.py:9", attrs)], "loss": ["train.py:9"]},
        {LOSS: [2.3, 2.29, 2.28]},
    )
