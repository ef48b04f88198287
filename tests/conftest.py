"""Tests share the cores: one thread for each process, set before torch is imported."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture
def on_torch_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the native core: results are torch's bit for bit, not just to rounding."""
    monkeypatch.setattr("trimtab.kernels.native.available", lambda: False)
