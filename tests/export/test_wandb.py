"""A W&B run is read back from its file, record by record, without a network."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wandb.proto import wandb_internal_pb2

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export import wandb
from trimtab.export.account import COLUMNS
from trimtab.export.outcome import Naming
from trimtab.export.scalars import curves
from trimtab.export.signals import chosen

BLOCK = 32768


def records(path: Path) -> Iterator[Any]:
    """The records of a .wandb file: the log format of LevelDB, after a header of seven bytes."""
    data, place, whole = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = BLOCK - place % BLOCK
        if left < 7:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or its last part
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            record.ParseFromString(whole)
            whole = b""
            yield record


@pytest.mark.slow
def test_history_summary_and_findings_read_back(trace: Trace, diagnosis: Diagnosis, folder: Path) -> None:
    outcome = wandb.write(trace, diagnosis, curves(trace, chosen(trace, [])), folder, Naming("digits", "first"))
    (run,) = folder.glob("wandb/offline-run-*")
    assert outcome.following == f"wandb sync {run.relative_to(folder)}"
    found = list(records(next(run.glob("*.wandb"))))
    (started,) = (record.run for record in found if record.WhichOneof("record_type") == "run")
    config = {item.key: json.loads(item.value_json) for item in started.config.update}
    assert (started.project, started.display_name) == ("digits", "first")
    assert (config["verdict"], config["script"]) == (diagnosis.status, "train.py")
    rows = [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    losses = [row["loss/loss/train.py:9"] for row in rows if "loss/loss/train.py:9" in row]
    assert losses[0] == pytest.approx(2.3) and len(losses) == 12
    assert [row["_step"] for row in rows] == list(range(13))
    (table,) = run.glob("files/media/table/*.json")
    content = json.loads(table.read_text())
    assert content["columns"] == list(COLUMNS)
    assert [row[0] for row in content["data"]] == [finding.code for finding in diagnosis.findings]


def test_a_folder_that_is_none_is_refused() -> None:
    with pytest.raises(TrimtabError, match="there is no such folder"):
        wandb.check(Path("nowhere"))
