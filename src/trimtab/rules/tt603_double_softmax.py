"""TT603 double-softmax."""

from __future__ import annotations

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace

FORMS = ("softmax", "sigmoid", "probabilities")


class DoubleSoftmax(Rule):
    """Softmax or sigmoid stands before a loss that applies its own.

    What it measures: the operations between the model and the loss, in the graph of the loss itself: a softmax or
    sigmoid whose result goes into the log_softmax of a cross entropy, or into the sigmoid of a binary cross entropy
    with logits; and a negative log likelihood that is given probabilities.

    Why it matters: the second squashing sees numbers between 0 and 1 only. The loss cannot come near 0 (with ten
    classes not below 1.46), the gradient is small everywhere, and confident mistakes hardly count.

    When it is wrong: a log_softmax before a cross entropy changes nothing and is not reported. Easy tasks are learned
    in spite of it; the loss is still not the one that was meant.

    Sources: clinic.
    """

    code = "TT603"
    name = "double-softmax"
    needs = (LOSS,)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.LOSS_FORM

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per objective of that form."""
        return [self._finding(site) for site in trace.of("objective") if site.attrs.get("form") in FORMS][:1]

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
