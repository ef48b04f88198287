"""A run that is killed leaves a record that can be diagnosed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

ENDLESS = """
import torch
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
while True:
    loss = model(torch.randn(32, 3) * 1000).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_a_run_killed_without_warning_is_diagnosed_from_its_record(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], trimtab: Callable[..., object]
) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    process = start("-m", "trimtab", "run", "--quiet", "--record", "run.db", "endless.py", stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        trimtab("diagnose", "run.db", "--json", "live.json")  # another process reads while the run goes on
        if (tmp_path / "live.json").exists() and json.loads((tmp_path / "live.json").read_text())["steps"] > 0:
            break
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    trimtab("diagnose", "run.db", "--json", "after.json")
    after = json.loads((tmp_path / "after.json").read_text())
    assert after["status"] == "sick" and after["steps"] > 0
    assert after["findings"][0]["code"] == "TT101"
