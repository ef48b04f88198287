"""TT502 batchnorm-statistics-drift."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import adversarial
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import BATCH_VALUES, MEAN_DRIFT, VARIANCE_DRIFT
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace


class BatchnormStatisticsDrift(Rule):
    """The running estimates of a batch norm are far from the statistics of the batches.

    What it measures: at each look, |running mean − batch mean| in standard deviations of the batch, and
    |log(running variance / batch variance)|, median over the channels; over the last looks of the run. What a small
    batch's own noise makes of it is subtracted: 1/√n for n values.

    Why it matters: evaluation normalises by the running estimates. Where they lag behind, the model that is evaluated
    is not the one that was trained: it does well in training and badly in evaluation.

    When it is wrong: at the start every estimate is behind (0 and 1, against whatever the data have); with the usual
    momentum of 0.1 it has caught up after some thirty batches. Two networks in a game see real and made-up data by
    turns, and are not judged.

    Sources: ioffe2015.
    """

    code = "TT502"
    name = "batchnorm-statistics-drift"
    needs = (MEAN_DRIFT, VARIANCE_DRIFT, BATCH_VALUES)
    suspects = (Cause.NONFINITE_DATA, Cause.DATA_ORDER, Cause.STEP_TOO_LARGE)
    reveals = Cause.BATCH_STATISTICS
    least_steps = 60
    limits = {
        "mean": Limit(0.7, "clinic", "distance of the means in sds of the batch"),
        "variance": Limit(1.2, "clinic", "|log| of the ratio of the variances: a factor of 3.3"),
        "looks": Limit(2, "clinic", "looks at the end of the run that tell of it"),
        "start_left": Limit(0.3, "ioffe2015", "(1 − momentum)^steps: what is left in the estimates of 0 and 1"),
        "young": Limit(0.3, "clinic", "the larger of the two distances, where so much is left"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding for all batch norms that lag behind."""
        if adversarial(trace) or trace.steps < self.least_steps:
            return []
        norms = [i for i, site in enumerate(trace.of("layer")) if site.attrs.get("op") == "batch_norm"]
        found = {i: drift for i in norms if (drift := self._drift(trace, i)) is not None}
        lagging = {i: d for i, d in found.items() if self._is_far(d) or self._is_young(trace, i, d)}
        if not lagging or len(lagging) < len(found) / 3:
            return []
        worst = max(lagging, key=lambda i: max(lagging[i]))
        mean, variance = lagging[worst]
        site = trace.of("layer")[worst]
        message = (
            f"the running estimates of {site.name} lag behind the batches: the means differ by {mean:.2g} sd, "
            f"the variances by a factor of {np.exp(min(variance, 50)):.3g}, at the end of the run"
        )
        left = _left(trace, worst)
        if left is not None and left > self.limits["start_left"].value:
            message += f"; {left:.0%} of them is still the 0 and 1 that they began with"
        evidence: dict[str, Scalar] = {
            "mean_distance": mean,
            "variance_ratio": float(np.exp(min(variance, 50))),
            "momentum": site.attrs.get("momentum"),
            "layers": len(lagging),
            "batch_norms": len(found),
        }
        where = tuple(trace.of("layer")[i].name for i in lagging)
        return [self.finding(Severity.FAIL, where, int(trace.at(MEAN_DRIFT)[0]), message, evidence, sureness=0.7)]

    def _is_young(self, trace: Trace, place: int, drift: tuple[float, float]) -> bool:
        """Mostly made of their start still, and off by more than batches differ."""
        left = _left(trace, place)
        return left is not None and left > self.limits["start_left"].value and max(drift) > self.limits["young"].value

    def _drift(self, trace: Trace, place: int) -> tuple[float, float] | None:
        late = trace.at(MEAN_DRIFT) >= min(trace.steps / 3, self.least_steps / 2)
        means, variances = column(trace, MEAN_DRIFT, place), column(trace, VARIANCE_DRIFT, place)
        if len(means) != len(late) or len(variances) != len(late):
            return None
        known = np.flatnonzero(late & np.isfinite(means) & np.isfinite(variances))
        known = known[-max(len(known) // 5, 3) :]
        if len(known) < self.limits["looks"].value:
            return None
        values = column(trace, BATCH_VALUES, place)
        values = values[np.isfinite(values)]
        noise = 1 / np.sqrt(max(float(np.median(values)), 1.0)) if values.size else 0.0
        mean, variance = float(np.median(means[known])), float(np.median(variances[known]))
        return max(mean - noise, 0.0), max(variance - 2 * noise, 0.0)

    def _is_far(self, drift: tuple[float, float]) -> bool:
        return drift[0] > self.limits["mean"].value or drift[1] > self.limits["variance"].value

    @staticmethod
    def sick() -> Trace:
        """Means that are three sds apart to the end."""
        return _example(np.full(90, 3.0), np.full(90, 2.0))

    @staticmethod
    def healthy() -> Trace:
        """Estimates that catch up within thirty batches."""
        return _example(3 * 0.9 ** np.arange(90.0) + 0.1, 2 * 0.9 ** np.arange(90.0) + 0.2)


def _left(trace: Trace, place: int) -> float | None:
    """Share of the estimates that is still their start."""
    momentum = trace.of("layer")[place].attrs.get("momentum")
    known = isinstance(momentum, (int, float)) and 0 <= momentum <= 1
    return (1 - float(momentum)) ** trace.steps if known else None  # type: ignore[arg-type]


def _example(mean: Floats, variance: Floats) -> Trace:
    site = Site("layer", "norm", {"op": "batch_norm", "order": 1, "depth": 1})
    n = len(mean)
    return synthetic_trace(
        {"layer": [site]}, {MEAN_DRIFT: mean, VARIANCE_DRIFT: variance, BATCH_VALUES: np.full(n, 64.0)}
    )
