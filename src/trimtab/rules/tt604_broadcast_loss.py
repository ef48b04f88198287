"""TT604 broadcast-loss."""

from __future__ import annotations

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class BroadcastLoss(Rule):
    """Prediction and target broadcast against each other in the loss.

    What it measures: the shapes where predictions meet targets, in the graph of the loss. A column of n predictions
    against a row of n targets makes n² differences: every prediction with every target.

    Why it matters: such a loss is least when the model puts out the mean of the targets for every example, and that is
    what it learns.

    When it is wrong: one number that is fitted to all targets, or prototypes that are compared with all examples, are
    no columns of n against rows of n, and are not reported.

    Sources: clinic.
    """

    code = "TT604"
    name = "broadcast-loss"
    needs = (LOSS,)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.LOSS_FORM

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per objective in which it happens."""
        return [self._finding(site) for site in trace.of("objective") if site.attrs.get("form") == "broadcast"][:1]

    def _finding(self, site: Site) -> Finding:
        line, detail = str(site.attrs.get("line")), str(site.attrs.get("detail"))
        message = f"prediction and target do not have the same shape in the loss at {line}: {detail}"
        return self.finding(Severity.FAIL, (line,), 0, message, {"shapes": detail}, sureness=0.97)

    @staticmethod
    def sick() -> Trace:
        """64×1 against 64."""
        return _example("broadcast", "a prediction of 64×1 and 64 targets give 64×64")

    @staticmethod
    def healthy() -> Trace:
        """Equal shapes."""
        return _example(None, None)


def _example(form: str | None, detail: str | None) -> Trace:
    attrs: dict[str, Scalar] = {"compares": "mse", "line": "train.py:9", "form": form, "detail": detail}
    return synthetic_trace(
        {"objective": [Site("objective", "mse at train.py:9", attrs)], "loss": ["train.py:9"]}, {LOSS: [1.0, 1.0, 1.0]}
    )
