"""`trimtab fix` under Ctrl-C, and on one core."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from trimtab.report import study_json

SCRIPT = """
import time
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(512, 4)
y = x.sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(80):
    rows = torch.randint(512, (64,))
    loss = nn.functional.mse_loss(model(300 * x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    time.sleep(PAUSE)
"""


def start(tmp_path: Path, pause: float, *options: str) -> subprocess.Popen[str]:
    """`trimtab fix` in a group of its own, as a shell starts it, with a folder for scratch copies."""
    project, scratch = tmp_path / "project", tmp_path / "scratch"
    project.mkdir()
    scratch.mkdir()
    (project / "train.py").write_text(SCRIPT.replace("PAUSE", str(pause)))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(scratch), "COLUMNS": "80"}
    command = [sys.executable, "-m", "trimtab", "fix", "--seeds", "2", "--json", str(tmp_path / "study.json"), *options]
    return subprocess.Popen(
        [*command, "train.py"],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def study_of(tmp_path: Path) -> dict[str, Any]:
    study = json.loads((tmp_path / "study.json").read_text())
    jsonschema.validate(study, study_json.SCHEMA)
    assert [p.name for p in (tmp_path / "scratch").iterdir() if "trimtab" in p.name] == []
    assert [p.name for p in (tmp_path / "project").iterdir()] == ["train.py"]
    return study


def test_ctrl_c_leaves_what_is_known_and_no_process(tmp_path: Path) -> None:
    process = start(tmp_path, 0.05)
    assert process.stderr is not None
    for line in process.stderr:
        if "first part" in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    study = study_of(tmp_path)
    assert study["control"]["roots"][0] == "TT101" and study["ended"] == "interrupted"
    assert "what is known so far" in " ".join(out.split()) or study["trials"] == []
    assert "Traceback" not in out + err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away here")
def test_one_core_is_enough(tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        process = start(tmp_path, 0.0, "--jobs", "1")
    finally:
        os.sched_setaffinity(0, mine)
    _, err = process.communicate(timeout=110)
    assert process.returncode == 0, err
    assert "standardize-inputs" in study_of(tmp_path)["best"]["with"]
