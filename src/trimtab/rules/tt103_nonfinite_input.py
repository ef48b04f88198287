"""TT103 nonfinite-input."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import FEATURE_NONFINITE
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Scalar, Site, Trace


class NonfiniteInput(Rule):
    """A batch holds NaN or Inf.

    What it measures: the share of NaN and Inf in each feature that enters the first layers, over the first batches; and
    later, when the loss is not finite, whether the data of that very batch were.

    Why it matters: NaN passes through every operation; one such value makes the loss, the gradient and, after one
    step, all weights NaN.

    When it is wrong: a model that takes NaN for a mark of missing values and replaces it before its first layer is not
    seen as sick, because what is measured is what enters that layer.

    Sources: ieee754.
    """

    code = "TT103"
    name = "nonfinite-input"
    needs = (FEATURE_NONFINITE,)
    reveals = Cause.NONFINITE_DATA

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per layer that is fed NaN or Inf."""
        found = self._first_batches(trace)
        if not found:
            found = [self._later(event) for event in trace.events if _in_data(event)][:1]
        return found

    def _first_batches(self, trace: Trace) -> list[Finding]:
        share, steps = trace[FEATURE_NONFINITE], trace.at(FEATURE_NONFINITE)
        sites = trace.of("feature")
        found: list[Finding] = []
        for name in dict.fromkeys(str(site.attrs.get("input")) for site in sites[: share.shape[1]]):
            places = [i for i in range(share.shape[1]) if str(sites[i].attrs.get("input")) == name]
            worst = share[:, places]
            bad = np.flatnonzero((worst > 0).any(axis=1))
            if bad.size:
                last = np.nanmax(worst, axis=0)
                found.append(self._batch(name, int(steps[bad[0]]), last, sites[places[int(np.argmax(last))]]))
        return found

    def _batch(self, layer: str, step: int, share: np.ndarray, worst: Site) -> Finding:
        count, index = int((share > 0).sum()), worst.attrs.get("index")
        message = (
            f"{count} of {len(share)} features entering {layer} hold NaN or Inf, first at step {step}: "
            f"up to {share.max():.1%} of a batch (feature {index})"
        )
        evidence: dict[str, Scalar] = {"features": count, "share": float(share.max()), "feature": index}
        return self.finding(Severity.FAIL, (layer,), step, message, evidence, sureness=1.0)

    def _later(self, event: Event) -> Finding:
        layer, value = str(event.data.get("layer")), event.data.get("value")
        message = f"the batch of step {event.step} holds {value} where it enters {layer}"
        return self.finding(Severity.FAIL, (layer,), event.step, message, {"value": value}, sureness=1.0)

    @staticmethod
    def sick() -> Trace:
        """One feature of three has NaN in a tenth of the rows."""
        return synthetic_trace({"feature": _features(3)}, {FEATURE_NONFINITE: [[0, 0, 0], [0, 0.1, 0]]})

    @staticmethod
    def healthy() -> Trace:
        """All finite."""
        return synthetic_trace({"feature": _features(3)}, {FEATURE_NONFINITE: [[0, 0, 0], [0, 0, 0]]})


def _in_data(event: Event) -> bool:
    return event.kind == "first-nonfinite" and event.data.get("phase") == "data"


def _features(n: int) -> list[Site]:
    return [Site("feature", f"0 input {i}", {"input": "0", "index": i, "op": "linear"}) for i in range(n)]
