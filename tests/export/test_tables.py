"""CSV and Parquet hold every value that was measured, and nothing else."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.signal import SIGNALS
from trimtab.core.trace import Trace
from trimtab.export import csv_files, parquet
from trimtab.export.signals import chosen
from trimtab.export.table import COLUMNS


def expected(trace: Trace) -> list[tuple[int, str, float]]:
    """Step, signal and value of everything that was measured."""
    return [
        (int(step), name, float(value))
        for name, series in trace.series.items()
        for step, row in zip(series.steps, series.values, strict=True)
        for value in row
        if not math.isnan(value)
    ]


def test_csv_reads_back_as_it_was_measured(trace: Trace, diagnosis: Diagnosis) -> None:
    csv_files.write(trace, diagnosis, chosen(trace, []), Path("run.csv"))
    with open("run.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    read = [
        (int(row["step"]), row["signal"], np.dtype(SIGNALS[row["signal"]].dtype).type(row["value"])) for row in rows
    ]
    wanted = [(step, name, np.dtype(SIGNALS[name].dtype).type(value)) for step, name, value in expected(trace)]
    assert read == wanted
    assert {row["unit"] for row in rows if row["signal"] == "grad_rms"} == {"loss/weight"}
    assert "inf" in {row["value"] for row in rows}


def test_names_in_csv_are_no_formulas_and_no_control_characters(trace: Trace, diagnosis: Diagnosis) -> None:
    csv_files.write(trace, diagnosis, chosen(trace, ["grad_rms"]), Path("run.csv"))
    text = Path("run.csv").read_text(encoding="utf-8")
    assert "\x1b" not in text
    with open("run.csv", encoding="utf-8", newline="") as file:
        sites = {row["site"] for row in csv.DictReader(file)}
    assert len(sites) == 2 and all(not site.startswith("=") for site in sites)


def test_parquet_holds_the_same_and_the_diagnosis(trace: Trace, diagnosis: Diagnosis) -> None:
    parquet.write(trace, diagnosis, chosen(trace, []), Path("run.parquet"))
    table = pq.read_table("run.parquet")
    rows = table.to_pylist()
    assert tuple(table.column_names) == COLUMNS
    assert [(row["step"], row["signal"], row["value"]) for row in rows] == expected(trace)
    assert {row["site"] for row in rows if row["signal"] == "learning_rate"} == {"SGD", "SGD#2"}
    assert {row["site_kind"] for row in rows if row["signal"] == "loss"} == {"loss"}
    said = json.loads(table.schema.metadata[parquet.KEY])
    assert (said["status"], said["script"]) == (diagnosis.status, "train.py")


@pytest.mark.parametrize(("module", "name"), [(csv_files, "run.csv"), (parquet, "run.parquet")])
def test_an_earlier_export_is_replaced_and_nothing_else(
    module: object, name: str, trace: Trace, diagnosis: Diagnosis
) -> None:
    check, write = vars(module)["check"], vars(module)["write"]
    path = Path(name)
    check(path)
    write(trace, diagnosis, chosen(trace, []), path)
    check(path)
    write(trace, diagnosis, chosen(trace, ["loss"]), path)
    assert [file.name for file in Path().iterdir()] == [name]
    path.write_text("my,own\n1,2\n")
    with pytest.raises(TrimtabError, match="left as it is"):
        check(path)
    assert path.read_text() == "my,own\n1,2\n"
