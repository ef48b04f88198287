"""TT102 target-not-normalized."""

from __future__ import annotations

import numpy as np

from trimtab.core.cause import Cause
from trimtab.core.course import main_course
from trimtab.core.finding import Finding, Severity
from trimtab.core.looks import measured
from trimtab.core.rule import Limit, Rule
from trimtab.core.signal import LOSS, MISFIT, OUTPUT_SIZE, TARGET_MEAN, TARGET_SD, TARGET_SIZE
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Scalar, Site, Trace
from trimtab.core.trivial import target_variance

REGRESSIONS = ("mse", "smooth_l1", "huber", "squared", "absolute")


class TargetNotNormalized(Rule):
    """The targets of a regression are far from what a fresh model puts out, and the fit has not caught up.

    What it measures: the root mean square of the targets (of the largest column) where they enter the loss, against
    that of the first predictions; and whether the fit is better than the best constant: the mean squared misfit over
    the variance of the targets, at the end of the run. Where the loss is made by hand only the difference of
    prediction and target is kept, which at the start is the target.

    Why it matters: a fresh model puts out numbers of size 1 around 0. Targets in hundreds make the first gradients
    hundreds of times too large for the step size, or leave a small one to travel a long way before it learns anything.

    When it is wrong: the last bias may take up an offset within a few steps; a run whose fit has become clearly better
    than the constant is not reported, nor is one whose loss is down to a hundredth.

    Sources: lecun1998.
    """

    code = "TT102"
    name = "target-not-normalized"
    needs = (TARGET_SIZE, OUTPUT_SIZE, MISFIT, TARGET_MEAN, TARGET_SD, LOSS)
    suspects = (Cause.NONFINITE_DATA, Cause.LOSS_FORM, Cause.UNOPTIMIZED)
    reveals = Cause.TARGET_SCALE
    least_steps = 20
    limits = {
        "size": Limit(10.0, "clinic", "RMS of the targets; a fresh model puts out about 1"),
        "ratio": Limit(10.0, "clinic", "the same over the RMS of the first predictions"),
        "unexplained": Limit(0.8, "clinic", "misfit over the variance of the targets: 1 is the best constant"),
        "left": Limit(0.01, "clinic", "share of the loss that is left in a run that learns, where no more is known"),
    }

    def check(self, trace: Trace) -> list[Finding]:
        """One finding per objective whose targets are out of scale and not fitted."""
        return [
            finding
            for place, site in enumerate(trace.of("objective"))
            if site.attrs.get("compares") in REGRESSIONS and (finding := self._check_site(trace, place, site))
        ]

    def _check_site(self, trace: Trace, place: int, site: Site) -> Finding | None:
        sizes, outputs = measured(trace, TARGET_SIZE, place), measured(trace, OUTPUT_SIZE, place)
        if not sizes.size:
            return None
        by_hand = site.attrs.get("compares") in ("squared", "absolute")
        size = float(sizes[0] if by_hand else np.median(sizes))
        output = float(outputs[0]) if outputs.size else 1.0
        if size < self.limits["size"].value or size < self.limits["ratio"].value * output:
            return None
        fitted, unexplained = self._fit(trace, place, site)
        return None if fitted else self._finding(trace, place, site, size, output, unexplained)

    def _fit(self, trace: Trace, place: int, site: Site) -> tuple[bool, float | None]:
        """Whether the model has learned the targets, and the share of their variance that is left."""
        course = main_course(trace)
        if np.isinf(trace[LOSS]).any():
            return False, None
        variance = target_variance(trace, place) if site.attrs.get("columns") == 1 else None
        misfit = measured(trace, MISFIT, place)
        if variance is not None and variance > 0 and misfit.size:
            unexplained = float(np.median(misfit[-max(len(misfit) // 5, 1) :])) / variance
            return unexplained < self.limits["unexplained"].value, unexplained
        if course is None or trace.steps < self.least_steps:
            return True, None
        return course.now < self.limits["left"].value * course.start, None

    def _finding(
        self, trace: Trace, place: int, site: Site, size: float, output: float, unexplained: float | None
    ) -> Finding | None:
        if unexplained is not None and trace.steps < self.least_steps:
            return None
        means, sds = measured(trace, TARGET_MEAN, place), measured(trace, TARGET_SD, place)
        message = f"the targets at {site.attrs.get('line')} have an RMS of {size:.4g}"
        if means.size and sds.size:
            message += f" (mean {abs(means[0]):.4g}, sd {sds[0]:.4g})"
        message += f", the model begins with outputs of {output:.2g}"
        if unexplained is not None:
            message += f", and its error is still {unexplained:.2g} times that of the best constant"
        evidence: dict[str, Scalar] = {
            "target_rms": size,
            "output_rms": output,
            "unexplained": unexplained,
            "compares": site.attrs.get("compares"),
        }
        if means.size and sds.size:
            evidence |= {"target_mean": float(means[0]), "target_sd": float(sds[0])}
        return self.finding(
            Severity.FAIL,
            (str(site.attrs.get("line")),),
            int(trace.at(TARGET_SIZE)[0]),
            message,
            evidence,
            sureness=0.8,
        )

    @staticmethod
    def sick() -> Trace:
        """Prices in thousands, of which nothing is explained after 40 steps."""
        return _example(mean=200.0, sd=80.0, misfit=40_000.0)

    @staticmethod
    def healthy() -> Trace:
        """Targets in tens whose offset the last bias has taken up, and more."""
        return _example(mean=20.0, sd=5.0, misfit=6.0)


def _example(mean: float, sd: float, misfit: float) -> Trace:
    site = Site("objective", "mse at train.py:9", {"compares": "mse", "columns": 1, "line": "train.py:9"})
    looks = 40
    return synthetic_trace(
        {"objective": [site], "loss": ["train.py:9"]},
        {
            TARGET_SIZE: np.full(looks, np.hypot(mean, sd)),
            TARGET_MEAN: np.full(looks, mean),
            TARGET_SD: np.full(looks, sd),
            OUTPUT_SIZE: np.full(looks, 0.4),
            MISFIT: np.geomspace(mean**2 + sd**2, misfit, looks),
            LOSS: np.geomspace(mean**2 + sd**2, misfit, looks),
        },
    )
