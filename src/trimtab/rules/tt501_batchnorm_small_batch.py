"""TT501 batchnorm-small-batch."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import BATCH_MODE, BATCH_VALUES
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace


class BatchnormSmallBatch(Rule):
    """Batch normalisation takes its statistics from too few values.

    What it measures: how many values each channel has in a batch, over examples and positions, at every batch norm that
    works by the batch's own statistics; the median over the looks.

    Why it matters: the mean of two values says where they lie between themselves and nothing else: the normalised pair
    is always −1 and 1, whatever went in. The running estimates that evaluation uses are those of another function.

    When it is wrong: a last batch of the epoch may be small, which the median passes over. Convolutions have many
    positions in each example, and their count is what is judged, not the number of examples.

    Sources: wu2018, ioffe2015.
    """

    code = "TT501"
    name = "batchnorm-small-batch"
    needs = (BATCH_VALUES, BATCH_MODE)
    suspects = (Cause.NONFINITE_DATA,)
    reveals = Cause.BATCH_STATISTICS
    least_steps = 5
    limits = {
        "values": Limit(4.5, "clinic", "values a channel; the error of the group-norm paper soars below 8 examples")
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for all batch norms that have too few values."""
        counts = {
            i: float(np.median(values))
            for i, site in enumerate(trace.of("layer"))
            if site.attrs.get("op") == "batch_norm" and len(values := measured(trace, BATCH_VALUES, i)) >= 3
        }
        few = [i for i, count in counts.items() if count < self.limits["values"].value]
        if not few:
            return []
        sites = trace.of("layer")
        least = min(few, key=lambda i: counts[i])
        message = (
            f"{sites[least].name} takes mean and variance of each channel from {counts[least]:.0f} values in a batch"
        )
        if len(few) > 1:
            message += f"; {len(few)} of {len(counts)} batch norms have so few"
        evidence: dict[str, Scalar] = {"values": int(counts[least]), "layers": len(few), "batch_norms": len(counts)}
        where = tuple(sites[i].name for i in few)
        return [self.finding(Severity.FAIL, where, int(trace.at(BATCH_VALUES)[0]), message, evidence, sureness=0.85)]

    @staticmethod
    def sick() -> Trace:
        """Batches of two behind a linear layer."""
        return _example(2.0)

    @staticmethod
    def healthy() -> Trace:
        """Batches of sixteen, the last one of two."""
        return _example(np.r_[np.full(11, 16.0), 2.0])


def _example(values: float | np.ndarray) -> Trace:
    site = Site("layer", "norm", {"op": "batch_norm", "order": 1, "depth": 1})
    return synthetic_trace({"layer": [site]}, {BATCH_VALUES: np.broadcast_to(values, 12), BATCH_MODE: np.ones(12)})
