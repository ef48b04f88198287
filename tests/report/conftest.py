"""Diagnoses and traces that the tests of all renderers share, and the files that hold accepted output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trimtab import remedies
from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis, Finding, Severity
from trimtab.core.remedy import Prescription, Remedy
from trimtab.core.signal import (
    DEAD,
    DELTA_NORM,
    GRAD_RMS,
    GRAD_USED_RMS,
    IN_RMS,
    IN_SPREAD,
    LEARNING_RATE,
    LOSS,
    SATURATED,
    UPDATE_RMS,
    WEIGHT_RMS,
)
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Site, Trace

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="take the output of today as the golden output")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with an accepted file; `pytest tests/report --accept` writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--accept", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, bytes], None]:
    """Compare a screenshot with an accepted one, as a person would: blurred, so that no font's edges matter."""

    def blurred(source: Path) -> np.ndarray:
        image = Image.open(source).convert("RGB")
        return np.asarray(image.reduce(16), dtype=float)

    def compare(name: str, png: bytes) -> None:
        path, taken = GOLDEN / name, tmp_path / name
        taken.write_bytes(png)
        if request.config.getoption("--accept", default=False):
            Image.open(taken).convert("P", palette=Image.Palette.ADAPTIVE).save(path, optimize=True)
        was, now = blurred(path), blurred(taken)
        assert abs(len(was) - len(now)) <= 0.02 * len(was), f"{taken} is {len(now)} rows of blocks high, not {len(was)}"
        rows = min(len(was), len(now))
        apart = np.abs(was[:rows] - now[:rows]).max(axis=2)
        assert apart.mean() < 4, f"{taken} differs from {path} by {apart.mean():.1f} of 255 in the mean"

    return compare


@dataclass(frozen=True)
class Case:
    """What the renderers take."""

    diagnosis: Diagnosis
    trace: Trace


@pytest.fixture
def prescribed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two remedies whose words do not change with the package."""
    first = Remedy(
        "standardize-inputs", "data", (), "Standardise the inputs.", lambda finding, trace, value: "x = (x - mean) / sd"
    )
    other = Remedy("normalize-layers", "model", (), "Normalise.", lambda finding, trace, value: "nn.LayerNorm(64)")
    chosen = lambda finding, trace: [Prescription(finding, r, r.code(finding, trace, None)) for r in (first, other)]  # noqa: E731
    monkeypatch.setattr(remedies, "prescribe", chosen)


def training(
    layers: int = 6, steps: int = 60, name: str = "net.{}", sampled: int | None = None, broken_from: int | None = None
) -> Trace:
    """A run with every signal that a chart shows; the gradient shrinks by half a decade a layer."""
    rng = np.random.default_rng(0)
    at = np.unique(np.linspace(0, steps - 1, sampled or steps).astype(int))
    depth = np.arange(layers)
    deltas = 10 ** (-0.5 * depth[::-1] + 0.05 * rng.standard_normal((len(at), layers)))
    loss = 2.3 * np.exp(-at / steps) + 0.05 * rng.random(len(at))
    weights = 0.1 + 0.01 * rng.random((len(at), layers))
    share = np.clip(rng.random((len(at), layers)), 0, 1)
    if broken_from is not None:
        deltas[at >= broken_from] = loss[at >= broken_from] = np.nan
    names = [name.format(2 * i) for i in range(layers)]
    return synthetic_trace(
        {
            "loss": [Site("loss", "train.py:57", {"line": "train.py:57"})],
            "layer": [Site("layer", n, {"op": "linear", "order": i, "depth": i}) for i, n in enumerate(names)],
            "activation": [
                Site("activation", f"{n}.act", {"fn": "relu", "order": i, "after": n}) for i, n in enumerate(names)
            ],
            "optimizer": [Site("optimizer", "SGD", {"line": "train.py:31"})],
            "parameter": [Site("parameter", f"{n}.weight", {"layer": n, "role": "weight"}) for n in names],
        },
        {
            LOSS: (at, loss),
            DELTA_NORM: (at, deltas),
            DEAD: (at, np.where(depth % 2, share, np.nan)),
            SATURATED: (at, np.where(depth % 2, np.nan, share)),
            WEIGHT_RMS: (at, weights),
            IN_RMS: (at, np.ones((len(at), layers))),
            IN_SPREAD: (at, 10 ** (-0.4 * depth + 0.02 * rng.standard_normal((len(at), layers)))),
            GRAD_RMS: (at, np.abs(deltas)),
            GRAD_USED_RMS: (at, np.minimum(np.abs(deltas), 0.3)),
            LEARNING_RATE: (at, 0.1 * 0.5 ** (at // (1 + steps // 3))),
            UPDATE_RMS: (at, weights * 10 ** rng.uniform(-4, -2.5, weights.shape)),
        },
        steps=steps,
        events=[] if broken_from is None else [Event(broken_from, "first-nonfinite", {"where": "loss"})],
        meta={"torch": "2.13.0", "started": "2026-11-22T18:00:00", "ended": "end"},
    )


def finding(code: str, name: str, message: str, **changes: object) -> Finding:
    """A finding that says `fail` at step 0 of nowhere, but for the changes."""
    given: dict[str, object] = {"severity": Severity.FAIL, "where": (), "since_step": 0} | changes
    return Finding(code, name, message=message, **given)  # type: ignore[arg-type]


def diagnosis(status: str, *findings: Finding, steps: int = 240, overhead: float = 0.0123) -> Diagnosis:
    """A diagnosis of `train.py`."""
    return Diagnosis(status, steps, findings, "train.py", overhead, ".trimtab/train.db", "0.1.0")  # type: ignore[arg-type]


NOTE = finding("TT901", "partial-coverage", "not seen: the inside of a compiled model", severity=Severity.NOTE)


@pytest.fixture
def sick() -> Case:
    """Raw inputs that explain two symptoms, a cause of its own, and a note."""
    inputs = finding(
        "TT101",
        "input-not-normalized",
        "64 of 64 features entering net.0 are far from mean 0 and sd 1: feature 7 has mean 130 and sd 70",
        where=("net.0",),
        evidence={"mean": 130.0, "sd": 70.123, "features": 64, "share": 0.984},
        reveals=Cause.INPUT_SCALE,
        sureness=0.9,
        root=True,
    )
    gradient = finding(
        "TT301",
        "vanishing-gradient",
        "the gradient reaching net.0 is 3.2e-05 of that at net.10: a gain of M = 0.13 per layer over 6 layers",
        where=("net.0", "net.2", "net.4", "net.6"),
        evidence={"gain": 0.126, "reach": 3.2e-5, "depth": 6},
        causes=(Cause.INPUT_SCALE, Cause.DEPTH),
        reveals=Cause.DEPTH,
        explained_by=("TT101",),
    )
    flat = finding(
        "TT211",
        "saturated-activation",
        "90 % of the outputs of net.1 are saturated",
        severity=Severity.WARN,
        where=("net.1",),
        explained_by=("TT101",),
    )
    rate = finding(
        "TT402",
        "learning-rate-too-low",
        "one step moves the weights by 1.0e-06 of their size",
        severity=Severity.WARN,
        where=("SGD",),
        since_step=1200,
        evidence={"update_ratio": 1e-6, "learning_rate": 1e-6, "nothing": None},
        reveals=Cause.STEP_TOO_SMALL,
        root=True,
    )
    return Case(diagnosis("sick", inputs, rate, gradient, flat, NOTE), training())


@pytest.fixture
def healthy() -> Case:
    return Case(diagnosis("healthy", NOTE, steps=1500), training(steps=1500))


@pytest.fixture
def unseen() -> Case:
    return Case(diagnosis("unseen", steps=0), synthetic_trace({}, {}))


@pytest.fixture
def vanishing() -> Case:
    """A root cause with the gain M and its power, and names that attack every renderer."""
    hostile = "net[bold]</script><img src=x onerror=alert(1)>\x1b[31m\nTT999 \u202e\u2028" + "x" * 80
    root = finding(
        "TT301",
        "vanishing-gradient",
        f"the gradient reaching {hostile} is 1.0e-08",
        where=(hostile, "b", "c", "d", "e"),
        evidence={"gain": 0.158, "reach": 1e-8, "depth": 11, "first": hostile, "worst": float("nan")},
        reveals=Cause.DEPTH,
        root=True,
    )
    return Case(diagnosis("sick", root, steps=1), training(name=hostile + "{}"))


@pytest.fixture
def make_training() -> Callable[..., Trace]:
    return training
