"""TT104 unshuffled-batches."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import adversarial, main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import column
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS, TARGET_COUNT, TARGET_MEAN, TARGET_SD
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace


class UnshuffledBatches(Rule):
    """The batches are ordered: each holds nearly one class, or neighbouring targets only.

    What it measures: the targets of every batch that is looked at, as class indices or values. Of all their variance,
    the share that lies between batches (the intraclass correlation): batches drawn at random differ in their means by
    σ²/B, which is subtracted; sorted ones differ by nearly all of σ².

    Why it matters: a step on a batch of one class teaches that everything is that class, and the next steps unteach it.
    Batch norm sees statistics that no later batch has.

    When it is wrong: two networks that play against each other get one label at a time by design, and are not judged.
    Values that drift in one direction over the run (the returns of an agent that improves) are not sorted. A
    regression that fits all its batches well is not reported.

    Sources: clinic.
    """

    code = "TT104"
    name = "unshuffled-batches"
    needs = (TARGET_MEAN, TARGET_SD, TARGET_COUNT, LOSS)
    reveals = Cause.DATA_ORDER
    least_steps = 20
    limits = {
        "between": Limit(0.5, "clinic", "share of the targets' variance that lies between batches; shuffled: about 0"),
        "examples": Limit(4, "clinic", "targets in a batch: fewer say nothing about its order"),
        "looks": Limit(15, "clinic", "batches to compare"),
        "fitted": Limit(0.95, "clinic", "share of the loss that is gone in a regression that fits all its batches"),
        "drift": Limit(0.8, "clinic", "correlation of a batch's mean with the step that makes it a drift"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """At most one finding."""
        if adversarial(trace):
            return []
        for place, site in enumerate(trace.of("objective")):
            finding = self._check_site(trace, place, site)
            if finding is not None:
                return [finding]
        return []

    def _check_site(self, trace: Trace, place: int, site: Site) -> Finding | None:
        parts = [column(trace, signal, place) for signal in (TARGET_MEAN, TARGET_SD, TARGET_COUNT)]
        if len({len(part) for part in parts}) != 1 or not len(parts[0]):
            return None
        known = np.isfinite(parts).all(axis=0) & (parts[2] >= self.limits["examples"].value)
        means, sds, counts = (part[known] for part in parts)
        if len(means) < self.limits["looks"].value:
            return None
        classifier = "cross_entropy" in str(site.attrs.get("compares"))  # the binary ones as well
        between = _between(means, sds, counts)
        if between is None:
            one = classifier and int(site.attrs.get("classes") or 0) > 1
            return self._one_class(trace, site, len(means), float(counts[0])) if one else None
        if between < self.limits["between"].value or (not classifier and self._drifts(means)):
            return None
        course = main_course(trace)
        fitted = self.limits["fitted"].value
        if not classifier and course is not None and course.drop > fitted and course.certain > 3:
            return None
        kind = "class" if classifier else "target"
        message = (
            f"the batches are ordered by {kind}: {between:.0%} of the variance of the targets at "
            f"{site.attrs.get('line')} lies between batches (shuffled ones have next to none)"
        )
        evidence: dict[str, Scalar] = {"between_share": between, "batches": len(means), "batch_size": int(counts[0])}
        return self._report(trace, site, message, evidence, 0.85)

    def _one_class(self, trace: Trace, site: Site, batches: int, size: float) -> Finding:
        message = (
            f"all {batches} batches that were looked at hold one and the same class at {site.attrs.get('line')}, "
            f"of {site.attrs.get('classes')}: the data are sorted by class"
        )
        return self._report(
            trace, site, message, {"between_share": 1.0, "batches": batches, "batch_size": int(size)}, 0.8
        )

    def _report(self, trace: Trace, site: Site, message: str, evidence: dict[str, Scalar], sureness: float) -> Finding:
        where = (str(site.attrs.get("line")),)
        return self.finding(Severity.FAIL, where, int(trace.at(TARGET_MEAN)[0]), message, evidence, sureness=sureness)

    def _drifts(self, means: Floats) -> bool:
        """Whether the batches' means go one way over the run; ranks, so that no single batch decides."""
        if not np.ptp(means):
            return True
        ranks = np.unique(means, return_inverse=True)[1].astype(np.float64)
        ranks, order = ranks - ranks.mean(), np.arange(len(means)) - (len(means) - 1) / 2
        correlation = float(ranks @ order) / float(np.sqrt((ranks @ ranks) * (order @ order)))
        return abs(correlation) > self.limits["drift"].value

    @staticmethod
    def sick() -> Trace:
        """Ten classes in order, three batches of each."""
        means = np.tile(np.repeat(np.arange(10.0), 3), 2)
        return _example(means, np.zeros(60))

    @staticmethod
    def healthy() -> Trace:
        """Shuffled batches of 32 from ten classes."""
        return _example(4.5 + 0.5 * np.sin(7.0 * np.arange(60)), np.full(60, 2.87))


def _between(means: Floats, sds: Floats, counts: Floats) -> float | None:
    """Intraclass correlation of batches; None where the targets do not vary at all."""
    within = float(np.mean(sds**2))
    total = within + float(np.var(means))
    if not total > 1e-12 * max(float(np.mean(means**2)), 1e-30):
        return None
    return max(float(np.var(means)) - float(np.mean(sds**2 / counts)), 0.0) / total


def _example(means: Floats, sds: Floats) -> Trace:
    attrs = {"compares": "cross_entropy", "classes": 10, "line": "train.py:9"}
    n = len(means)
    return synthetic_trace(
        {"objective": [Site("objective", "cross_entropy at train.py:9", attrs)], "loss": ["train.py:9"]},
        {TARGET_MEAN: means, TARGET_SD: sds, TARGET_COUNT: np.full(n, 32.0), LOSS: np.full(n, 1.0)},
    )
