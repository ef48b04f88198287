"""`trimtab fix` on whole scripts: what it recommends, what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from trimtab.report import study_json

SCRIPT = """
import argparse, os, random
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--scale", type=float, default=1.0)
parser.add_argument("--crash", action="store_true")
parser.add_argument("--wild", action="store_true")
options = parser.parse_args()
if options.wild:
    torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
else:
    torch.manual_seed(0)
x = torch.randn(512, 4)
y = x.sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 120)
for step in range(120):
    rows = torch.randint(512, (64,))
    loss = nn.functional.mse_loss(model(options.scale * x[rows] + 3 * (options.scale > 1)), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if options.crash and step == 30:
        raise ValueError("disk is full")
torch.save(model.state_dict(), "model.pt")
print("done")
"""


def fix(folder: Path, *words: str) -> tuple[int, dict[str, Any] | None, str]:
    """Exit code, the study and standard error."""
    (folder / "train.py").write_text(SCRIPT)
    out = folder.parent / f"{folder.name}.json"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    command = [sys.executable, "-m", "trimtab", "fix", "--seeds", "2", "--json", str(out), *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False)
    study = json.loads(out.read_text()) if out.exists() else None
    if study is not None:
        jsonschema.validate(study, study_json.SCHEMA)
    return done.returncode, study, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


def test_the_remedy_for_the_root_cause_is_proven_and_nothing_is_left_behind(folder: Path) -> None:
    code, study, said = fix(folder, "train.py", "--scale", "300")
    assert code == 0 and study is not None, said
    assert study["control"]["status"] == "sick" and study["control"]["roots"][0] == "TT101"
    assert "standardize-inputs" in study["best"]["with"] and "mean" in study["best"]["code"]
    (best,) = [t for t in study["trials"] if t["with"] == study["best"]["with"]]
    assert best["verdict"] == "helped" and best["round"] == 3 and best["seeds"] >= 2
    assert sorted(p.name for p in folder.iterdir()) == ["train.py"]


def test_a_healthy_script_is_told_so_and_nothing_is_tried(folder: Path) -> None:
    code, study, said = fix(folder, "train.py")
    assert code == 0 and study is not None, said
    assert (study["control"]["status"], study["trials"], study["best"]) == ("healthy", [], None)
    assert "HEALTHY" in said
    assert sorted(p.name for p in folder.iterdir()) == ["train.py"]


def test_a_module_that_ignores_its_seeds_is_told_apart_and_still_cured(folder: Path) -> None:
    code, study, said = fix(folder, "-m", "train", "--scale", "300", "--wild")
    assert code == 0 and study is not None, said
    assert study["control"]["repeatable"] is False
    assert "standardize-inputs" in study["best"]["with"]


def test_a_script_that_crashes_is_still_diagnosed(folder: Path) -> None:
    _, study, said = fix(folder, "train.py", "--scale", "300", "--crash")
    assert "disk is full" in said or (study is not None and study["control"] is not None), said
    assert "Traceback" not in said or "disk is full" in said
    assert sorted(p.name for p in folder.iterdir()) == ["train.py"]


def test_the_time_limit_leaves_what_is_known(folder: Path) -> None:
    _, study, said = fix(folder, "--time-limit", "1", "train.py", "--scale", "300")
    assert study is None or study["ended"], said
    assert sorted(p.name for p in folder.iterdir()) == ["train.py"]


def test_a_missing_script_is_one_clear_message(folder: Path) -> None:
    code, study, said = fix(folder, "missing.py")
    assert (code, study) == (2, None) and "missing.py" in said and "Traceback" not in said
