"""Event files are read back by TensorBoard's own reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export import tensorboard
from trimtab.export.outcome import Naming
from trimtab.export.scalars import curves
from trimtab.export.signals import chosen

NAMES = Naming("project", "run")


def write(trace: Trace, diagnosis: Diagnosis, *signals: str) -> Path:
    folder = Path("runs/first")
    tensorboard.check(folder)
    tensorboard.write(trace, diagnosis, curves(trace, chosen(trace, signals)), folder, NAMES)
    return folder


def test_scalars_and_the_diagnosis_read_back(trace: Trace, diagnosis: Diagnosis) -> None:
    events = EventAccumulator(str(write(trace, diagnosis)))
    events.Reload()
    scalars = events.Scalars("loss/loss/train.py:9")
    assert [scalar.step for scalar in scalars] == list(range(12))
    assert scalars[0].value == pytest.approx(2.3)
    assert {scalar.wall_time for scalar in scalars} == {1795370400.0}
    assert [scalar.step for scalar in events.Scalars("gradient/grad_rms/net.0.weight")] == [0, 3, 6, 9]
    (text,) = events.Tensors("diagnosis")
    assert diagnosis.status.upper() in text.tensor_proto.string_val[0].decode()
    assert events.SummaryMetadata("diagnosis").plugin_data.plugin_name == "text"


def test_an_earlier_export_is_replaced(trace: Trace, diagnosis: Diagnosis) -> None:
    write(trace, diagnosis)
    events = EventAccumulator(str(write(trace, diagnosis, "loss")))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss/loss/train.py:9"]


def test_the_events_of_another_run_are_left_alone(trace: Trace, diagnosis: Diagnosis) -> None:
    folder = write(trace, diagnosis)
    (folder / "events.out.tfevents.1.host").write_bytes(b"theirs")
    with pytest.raises(TrimtabError, match="another run"):
        tensorboard.check(folder)
    Path("file").touch()
    with pytest.raises(TrimtabError, match="name a folder"):
        tensorboard.check(Path("file"))


def test_neither_torch_nor_tensorflow_is_imported(trace: Trace) -> None:
    code = (
        "import sys; from pathlib import Path; from trimtab.export import tensorboard as t; t.check(Path('x'));"
        "from trimtab.export.extras import needed;"
        "needed('tensorboard.summary.writer.event_file_writer', 'tensorboard');"
        "print([m for m in ('torch', 'tensorflow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
