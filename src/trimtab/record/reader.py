"""A record as a trace, also while another process writes it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import SiteKind
from trimtab.core.trace import Event, Series, Site, Trace
from trimtab.record.encoding import from_text, stack
from trimtab.record.identity import header_of, reason, shown
from trimtab.record.schema import VERSION


def read(path: str | os.PathLike[str]) -> Trace:
    """The trace in a record as it is now; raises TrimtabError for anything that is no readable record."""
    given = os.fsdecode(path)
    _check(given)
    try:
        with contextlib.ExitStack() as until_read:
            return assemble(_open(given, until_read), given)
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        raise TrimtabError(f"the record {shown(given)} is damaged: {reason(error)}; run the script again") from error


def assemble(connection: sqlite3.Connection, path: str | None) -> Trace:
    """The trace in an open record; `path` becomes its place in `meta`."""
    sites: dict[SiteKind, list[Site]] = {}
    for kind, name, attrs in connection.execute("SELECT kind, name, attrs FROM site ORDER BY kind, place"):
        sites.setdefault(kind, []).append(Site(kind, from_text(name), from_text(attrs)))
    series = {
        name: _series(connection, key, dtype, len(sites.get(per, ())))
        for key, name, per, dtype in connection.execute("SELECT id, name, per, dtype FROM signal ORDER BY id")
    }
    events = [
        Event(step, from_text(kind), from_text(data))
        for step, kind, data in connection.execute("SELECT step, kind, data FROM event ORDER BY id")
    ]
    meta = {key: from_text(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    longest = max((int(s.steps[-1]) + 1 for s in series.values() if len(s.steps)), default=0)
    counted = meta.get("steps")
    steps = longest if counted is None else int(counted)
    return Trace({k: tuple(v) for k, v in sites.items()}, series, steps, tuple(events), {**meta, "path": path})


def _series(connection: sqlite3.Connection, key: int, dtype: str, width: int) -> Series:
    rows = connection.execute("SELECT step, vals FROM reading WHERE signal = ? ORDER BY step", (key,)).fetchall()
    steps = np.fromiter((step for step, _ in rows), dtype=np.int64, count=len(rows))
    return Series(steps, stack([blob for _, blob in rows], dtype, width))


def _check(path: str) -> None:
    found = header_of(path)
    if found is None:
        raise TrimtabError(f"no record at {shown(path)}; `trimtab run script.py` writes one")
    if found.size == 0:
        raise TrimtabError(f"{shown(path)} is empty, not a record; `trimtab run script.py` writes one")
    if found.version is None:
        raise TrimtabError(f"{shown(path)} is no trimtab record; `trimtab run script.py` writes one")
    if found.version != VERSION:
        raise TrimtabError(
            f"the record {shown(path)} has format {found.version}, this trimtab reads format {VERSION}: "
            "read it with the trimtab that wrote it, or run the script again"
        )


def _open(path: str, stack: contextlib.ExitStack) -> sqlite3.Connection:
    """One consistent view of a record, from a copy where SQLite may not make its side files beside it."""
    try:
        try:
            return _view(path, stack)
        except sqlite3.OperationalError:
            copy = os.path.join(stack.enter_context(tempfile.TemporaryDirectory(prefix="trimtab-")), "record.db")
            source = os.path.realpath(path)  # the side file lies beside the record, not beside a link to it
            shutil.copyfile(source, copy)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(source + "-wal", copy + "-wal")
            return _view(copy, stack)
    except (sqlite3.OperationalError, OSError) as error:
        raise TrimtabError(
            f"cannot read the record {shown(path)}: {reason(error)}; copy it, with its -wal file, to a folder of yours"
        ) from error


def _view(path: str, stack: contextlib.ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    stack.callback(connection.close)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection
