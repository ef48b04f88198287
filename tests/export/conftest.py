"""A small run with everything that an export must carry, and services that are kept from the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trimtab.core.finding import Diagnosis
from trimtab.core.signal import GRAD_RMS, LEARNING_RATE, LOSS, UPDATE_RMS, WEIGHT_RMS
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.rules.judging import judge

HOSTILE = '=cmd|"a,b"\n\x1b[31m</script>'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def trace() -> Trace:
    """12 steps of which every third was looked at; a loss that breaks, and two optimizers of one name."""
    looks = np.arange(0, 12, 3)
    loss = np.linspace(2.3, 0.1, 12)
    loss[-1] = np.inf
    grads = np.array([[0.1, 1.0], [0.2, np.nan], [0.3, 3.0], [np.inf, 4.0]])
    return synthetic_trace(
        {
            "loss": [Site("loss", "train.py:9", {"line": "train.py:9"})],
            "optimizer": ["SGD", "SGD"],
            "parameter": [Site("parameter", "net.0.weight", {"role": "weight"}), Site("parameter", HOSTILE)],
        },
        {
            LOSS: loss,
            LEARNING_RATE: (looks, np.full((4, 2), [0.1, 0.2])),
            GRAD_RMS: (looks, grads.astype("f4")),
            WEIGHT_RMS: (looks, np.full((4, 2), [0.5, 0.0])),
            UPDATE_RMS: (looks, np.full((4, 2), 0.001)),
        },
        steps=12,
        meta={"script": "train.py", "started": "2026-11-22T18:00:00+00:00", "ended": "exception", "torch": "2.13.0"},
    )


@pytest.fixture
def diagnosis(trace: Trace) -> Diagnosis:
    return judge(trace)
