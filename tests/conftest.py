"""Tests share the cores: one thread for each process, set before torch is imported."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
if not any(Path(driver).exists() for driver in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")):
    os.environ.setdefault(
        "TRITON_INTERPRET", "1"
    )  # before triton is imported: without a GPU its kernels run on the CPU

import pytest
from hypothesis import settings

settings.register_profile("trimtab", deadline=None)  # no test asserts how long something takes
settings.load_profile("trimtab")


@pytest.fixture
def on_torch_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the native core: results are torch's bit for bit, not just to rounding."""
    monkeypatch.setattr("trimtab.kernels.native.available", lambda: False)
