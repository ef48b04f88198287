"""An MLflow run is read back by MLflow's own client from a database file."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export import mlflow
from trimtab.export.outcome import Naming
from trimtab.export.scalars import curves
from trimtab.export.signals import chosen


@pytest.mark.slow
def test_metrics_parameters_and_tags_read_back(trace: Trace, diagnosis: Diagnosis) -> None:
    made = curves(trace, chosen(trace, []))
    for name in ("first", "second"):  # into a store that is there already
        mlflow.check("mlflow.db")
        mlflow.write(trace, diagnosis, made, "mlflow.db", Naming("digits", name))
    client = MlflowClient(f"sqlite:///{Path('mlflow.db').resolve()}")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.run_name for run in runs} == {"first", "second"}
    run = runs[0]
    assert run.info.status == "FAILED"  # the script raised
    assert run.data.tags["trimtab.verdict"] == diagnosis.status
    assert diagnosis.status.upper() in run.data.tags["mlflow.note.content"]
    assert run.data.params["script"] == "train.py"
    history = client.get_metric_history(run.info.run_id, "loss/loss/train.py:9")
    assert sorted(point.step for point in history) == list(range(12))
    assert {point.timestamp for point in history} == {1795370400000}
    assert len(run.data.metrics) == len(made.items)


def test_a_place_that_is_no_store_is_refused() -> None:
    Path("other.db").write_bytes(b"not a database")
    with pytest.raises(TrimtabError, match="left as it is"):
        mlflow.check("other.db")
    with pytest.raises(TrimtabError, match=r"FILE\.db"):
        mlflow.check("folder")


def test_addresses_are_taken_as_they_are() -> None:
    assert mlflow.uri_of(None) is None
    assert mlflow.uri_of("http://127.0.0.1:5000") == "http://127.0.0.1:5000"
    assert str(mlflow.uri_of("mlflow.db")).startswith("sqlite:///")
