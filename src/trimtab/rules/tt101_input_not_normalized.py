"""TT101 input-not-normalized."""

from __future__ import annotations

from math import log10

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import Course, main_course
from trimtab.core.depth import normalized_next
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import FEATURE_MEAN, FEATURE_SD, LOSS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Floats, Scalar, Site, Trace


class InputNotNormalized(Rule):
    """Features are fed to the model far from mean 0 and sd 1.

    What it measures: mean μ and standard deviation σ of every feature (column, or channel of an image) over the first
    batches, where the data enter the first weight layer: scaling that the model does itself is counted in. The size of
    a feature is its root mean square, √(μ² + σ²). And how much the features' deviations differ from each other, where
    one step size is for all of them and the run has not learned.

    Why it matters: at the start a unit's decision boundary passes near the origin. Data far from it, or one feature
    hundreds of times larger than the others, leave units saturated, dead or deaf to all but that feature, and give the
    loss a curvature that no single step size suits.

    When it is wrong: images in [0, 1], counts, one-hot and standardised features with outliers are normal practice and
    well below the limits. A layer that is followed at once by batch or layer normalisation is not judged.

    Sources: lecun1998.
    """

    code = "TT101"
    name = "input-not-normalized"
    needs = (FEATURE_MEAN, FEATURE_SD, LOSS)
    reveals = Cause.INPUT_SCALE
    limits = {
        "size": Limit(
            30.0, "clinic", "RMS of a feature; pixels 0 to 16 stay below, pixels 0 to 255 and raw columns do not"
        ),
        "size_stalled": Limit(10.0, "clinic", "the same where the loss stands still"),
        "spread": Limit(
            50.0, "clinic", "90th over 10th percentile of the features' sds in a run that has not learned; pixels: 40"
        ),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per layer that is fed oversized features."""
        means, sds = trace[FEATURE_MEAN], trace[FEATURE_SD]
        if not means.size:
            return []
        course = main_course(trace)
        stalled = course is not None and course.stalled and len(course.values) >= 20
        limit = self.limits["size_stalled" if stalled else "size"].value
        sites = trace.of("feature")[: means.shape[1]]
        found: list[Finding] = []
        for layer in dict.fromkeys(str(site.attrs.get("input")) for site in sites):
            places = [i for i, site in enumerate(sites) if str(site.attrs.get("input")) == layer]
            mean, sd = _at_end(means[:, places], -1), _at_end(sds[:, places], -1)
            # Data are large from the first batch on; what another network puts out (a GAN's fakes) may become so.
            first = np.hypot(_at_end(means[:, places], 0), _at_end(sds[:, places], 0))
            size = np.hypot(mean, sd)
            if normalized_next(trace, layer):
                continue
            if np.nanmax(np.fmin(size, first), initial=0) > limit:
                found.append(self._finding(trace, layer, mean, sd, size, limit))
            elif course is not None and len(course.values) >= 20 and on_its_way(course):
                found += self._unequal(trace, layer, sd)
        return found

    def _unequal(self, trace: Trace, layer: str, sd: Floats) -> list[Finding]:
        """None is large, and yet they differ so much that one step size cannot suit them all."""
        varying = np.flatnonzero(np.isfinite(sd) & (sd > 0))
        plain = {site.name.partition(" ")[0] for site in trace.of("optimizer")} <= {"SGD", "ASGD"}
        if len(varying) < 3 or not plain or not trace.of("optimizer"):
            return []
        spread = float(np.quantile(sd[varying], 0.9) / np.quantile(sd[varying], 0.1))
        if spread < self.limits["spread"].value:
            return []
        least, most = varying[np.argmin(sd[varying])], varying[np.argmax(sd[varying])]
        message = (
            f"the sds of the {len(sd)} features entering {layer} differ by a factor of {spread:.3g} (90th over 10th "
            f"percentile), from {sd[least]:.3g} (feature {least}) to {sd[most]:.3g} (feature {most})"
        )
        evidence: dict[str, Scalar] = {"sd_ratio": spread, "features": len(sd)}
        step = int(trace.at(FEATURE_MEAN)[0])
        return [self.finding(Severity.WARN, (layer,), step, message, evidence, sureness=0.6)]

    def _finding(self, trace: Trace, layer: str, mean: Floats, sd: Floats, size: Floats, limit: float) -> Finding:
        worst, large = int(np.nanargmax(size)), int(np.nansum(size > limit))
        varying = sd[np.isfinite(sd) & (sd > 0)]
        spread = float(varying.max() / varying.min()) if varying.size else 1.0
        message = (
            f"{large} of {len(size)} features entering {layer} are far from mean 0 and sd 1: "
            f"feature {worst} has mean {mean[worst]:.4g} and sd {sd[worst]:.4g}"
        )
        if len(size) > 1 and spread > 100:
            message += f"; the features' sds differ by a factor of {spread:.2g}"
        evidence: dict[str, Scalar] = {
            "feature": worst,
            "mean": float(mean[worst]),
            "sd": float(sd[worst]),
            "rms": float(size[worst]),
            "features_large": large,
            "features": len(size),
            "sd_ratio": spread,
        }
        sureness = min(max(0.7 + 0.1 * log10(float(size[worst]) / 30), 0.6), 0.95)
        return self.finding(
            Severity.FAIL, (layer,), int(trace.at(FEATURE_MEAN)[0]), message, evidence, sureness=sureness
        )

    @staticmethod
    def sick() -> Trace:
        """A table with a column in thousands beside columns near 1."""
        return _example([0.5, 750.0, 1.0], [0.3, 280.0, 0.2])

    @staticmethod
    def healthy() -> Trace:
        """Pixels in [0, 1], a count, and a standardised column with outliers."""
        return _example([0.4, 3.0, 0.0], [0.3, 4.0, 1.0])


def on_its_way(course: Course) -> bool:
    """Less than half of the loss is gone, and it still falls or has never done so: what has converged does neither."""
    half = len(course.values) // 2
    middle = float(np.median(course.values[max(half - half // 10, 0) : half + half // 10 + 1]))
    falling = middle - course.now > 0.05 * abs(middle)
    return not course.learned_well and (course.stalled or falling)


def _at_end(values: Floats, end: int) -> Floats:
    """The first (0) or last (−1) measured value of each column; NaN where there is none."""
    ends = np.full(values.shape[1], np.nan)
    for i in range(values.shape[1]):
        measured = values[np.isfinite(values[:, i]), i]
        if measured.size:
            ends[i] = measured[end]
    return ends


def _example(mean: list[float], sd: list[float]) -> Trace:
    features = [Site("feature", f"0 input {i}", {"input": "0", "index": i, "op": "linear"}) for i in range(len(mean))]
    return synthetic_trace({"feature": features}, {FEATURE_MEAN: [mean, mean], FEATURE_SD: [sd, sd]})
