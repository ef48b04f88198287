"""A run in an MLflow store: a server, a database file, or what MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export.account import facts, report, started
from trimtab.export.extras import needed
from trimtab.export.outcome import Naming, Outcome
from trimtab.export.scalars import Curves
from trimtab.export.sites import distinct

_BATCH = 1000  # metrics that a server takes at once
_LONGEST = 250  # characters of a metric's name
_NOTE = 4900  # characters of a tag that every server takes, less the fence around them
_ENDS = {"exception": "FAILED", "interrupt": "KILLED", "terminated": "KILLED"}


def uri_of(out: str | None) -> str | None:
    """The store's address: as given, or that of a database file; None for MLflow's own default."""
    if out is None or "://" in out or out in ("databricks", "uc"):
        return out
    if not out.endswith(".db"):
        raise TrimtabError(f"--out {out}: name a server (http://…), a database (sqlite:///…) or a file FILE.db")
    return f"sqlite:///{Path(out).resolve()}"


def check(out: str | None) -> None:
    """Raise TrimtabError for what is no store."""
    needed("mlflow.tracking", "mlflow")
    if out is None or not out.endswith(".db") or "://" in out:
        uri_of(out)
        return
    path = Path(out)
    if path.exists() and path.stat().st_size and not _is_store(path):
        raise TrimtabError(f"--out {out}: exists and is no MLflow store; left as it is, name another file")


def write(trace: Trace, diagnosis: Diagnosis, curves: Curves, out: str | None, naming: Naming) -> Outcome:
    """A new run in the experiment `project`; what is in the store stays."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # of 7, which take minutes where no server answers
    tracking, errors = needed("mlflow.tracking", "mlflow"), needed("mlflow.exceptions", "mlflow")
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        client = tracking.MlflowClient(tracking_uri=uri_of(out))
        run = _create(client, trace, diagnosis, naming)
        for batch in _batches(curves, int(1000 * started(trace))):
            client.log_batch(run, metrics=batch)
        client.set_terminated(run, _ENDS.get(str(trace.meta.get("ended")), "FINISHED"))
    except errors.MlflowException as error:
        raise TrimtabError(f"MLflow refused the run: {shorten(str(error), 300, placeholder='…')}") from error
    local = client.tracking_uri.startswith("sqlite:")  # the address of a server may hold a password
    place = out or (client.tracking_uri if local else "the store of MLFLOW_TRACKING_URI")
    written = f"{place}: run {run}, {len(curves):,} points of {len(curves.items):,} curves"
    following = (
        f"mlflow ui --backend-store-uri {client.tracking_uri}" if local else f"open the experiment {naming.project}"
    )
    return Outcome(written, following, curves.left_out)


def _create(client: Any, trace: Trace, diagnosis: Diagnosis, naming: Naming) -> str:
    entities = needed("mlflow.entities", "mlflow")
    experiment = client.get_experiment_by_name(naming.project)
    key = experiment.experiment_id if experiment is not None else client.create_experiment(naming.project)
    known = facts(diagnosis, trace)
    tags = {"trimtab.verdict": str(known["verdict"]), "trimtab.roots": str(known.get("roots", ""))}
    tags["mlflow.note.content"] = f"```text\n{report(diagnosis, trace)[:_NOTE]}\n```"
    run = client.create_run(key, start_time=int(1000 * started(trace)) or None, run_name=naming.name, tags=tags)
    client.log_batch(run.info.run_id, params=[entities.Param(k, str(v)[:500]) for k, v in known.items()])
    return run.info.run_id


def _batches(curves: Curves, now: int) -> Iterator[list[Any]]:
    entities = needed("mlflow.entities", "mlflow")
    names = distinct((_name(curve.tag) for curve in curves.items), mark=" ")
    batch: list[Any] = []
    for name, curve in zip(names, curves.items, strict=True):
        for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
            batch.append(entities.Metric(name, value, now, step))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _name(tag: str) -> str:
    """MLflow refuses other characters, and what is no plain path."""
    parts = (re.sub(r"[^\w\-. :]|[^\x00-\x7f]", "_", part).strip(". ") or "_" for part in tag.split("/"))
    return "/".join(parts)[:_LONGEST].rstrip("/")


def _is_store(path: Path) -> bool:
    """Whether this is a database with MLflow's tables."""
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
            return store.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is not None
    except sqlite3.Error:
        return False
