"""Writing a record while training: calls only queue rows, `commit` takes them to the file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import Signal, SiteKind
from trimtab.core.trace import Event, Scalar, Site, Trace
from trimtab.record import schema
from trimtab.record.creation import create, fill
from trimtab.record.encoding import to_blob, to_text
from trimtab.record.fork import keep_from_children
from trimtab.record.identity import absolute, inode_of, reason, shown, written_here
from trimtab.record.reader import assemble, read
from trimtab.record.settle import settle


class Writer:
    """The record of one run, in a file, or in memory where `path` is None.

    Any thread may call any method, and only `commit`, `trace` and `close` wait for the disk. In a forked child every
    method does nothing. Writing after `close` raises ValueError.

    Raises TrimtabError when the path cannot be written, is in use, or holds something that is no record.
    """

    def __init__(self, path: str | os.PathLike[str] | None, meta: Mapping[str, Scalar]) -> None:
        self._given = None if path is None else os.fsdecode(path)
        # The script may change its working directory, which must not move the record.
        self._path = None if self._given is None else absolute(self._given)
        self._pid = os.getpid()
        self._queue_lock = threading.RLock()  # held for microseconds: the training loop waits for nothing else
        self._file_lock = threading.RLock()
        self._queue: list[tuple[str, tuple[Any, ...]]] = []
        self._places: dict[SiteKind, int] = {}
        self._signals: dict[str, int] = {}
        self._closed = False
        self._last: Trace | None = None
        if self._path is None:
            self._connection = sqlite3.connect(":memory:", check_same_thread=False)
            fill(self._connection, meta)
        else:
            self._connection = create(self._path, meta)
            self._inode = inode_of(os.stat(self._path))
            written_here.add(self._inode)
        keep_from_children(self, self._connection)

    def add_sites(self, kind: SiteKind, sites: Sequence[Site]) -> None:
        """Append sites; from now on readings of this kind may be longer by as many values."""
        if self._inherited():
            return
        named = [(to_text(site.name), to_text(site.attrs)) for site in sites]
        with self._queue_lock:
            first = self._places.get(kind, 0)
            for place, (name, attrs) in enumerate(named, first):
                self._put(schema.PUT_SITE, kind, place, name, attrs)
            self._places[kind] = first + len(named)

    def add(self, step: int, signal: Signal, values: np.ndarray) -> None:
        """Store a reading [S] over the sites known so far, or the first of them; the same step again overwrites."""
        if self._inherited():
            return
        blob = to_blob(values, signal.dtype)
        with self._queue_lock:
            known = self._places.get(signal.per, 0)
            if values.ndim != 1 or len(values) > known:
                raise ValueError(f"{signal.name} at step {step}: shape {values.shape} for {known} {signal.per} sites")
            self._put(schema.PUT_READING, self._id_of(signal), int(step), blob)

    def event(self, event: Event) -> None:
        """Store something that happened once."""
        if not self._inherited():
            self._put(schema.PUT_EVENT, int(event.step), to_text(event.kind), to_text(event.data))

    def set_meta(self, **values: Scalar) -> None:
        """Set or overwrite facts about the run."""
        if self._inherited():
            return
        for key, value in values.items():
            self._put(schema.PUT_META, key, to_text(value))

    def set_steps(self, n: int) -> None:
        """Set the total of steps so far."""
        self.set_meta(steps=int(n))

    def commit(self) -> None:
        """Make everything so far durable and visible to other processes; after a failure the next call tries again."""
        if self._inherited():
            return
        with self._file_lock:
            if self._closed:
                return
            with self._queue_lock:
                waiting = self._queue[:]
            try:
                with self._connection:
                    for statement, row in waiting:
                        self._connection.execute(statement, row)
            except sqlite3.Error as error:
                place = "in memory" if self._path is None else shown(self._path)
                raise TrimtabError(f"cannot write the record {place}: {reason(error)}") from error
            with self._queue_lock:
                del self._queue[: len(waiting)]

    def trace(self) -> Trace:
        """What is stored so far."""
        if self._inherited():
            return Trace({}, {}, 0)
        with self._file_lock:
            if self._last is not None:
                return self._last
            if self._closed and self._path is not None:
                trace = read(self._path)
                return replace(trace, meta={**trace.meta, "path": self._given})
            self.commit()
            return assemble(self._connection, self._given)

    def close(self) -> None:
        """Commit and leave a single file; a second call does nothing."""
        if self._inherited():
            return
        with self._file_lock:
            if self._closed:
                return
            try:
                self.commit()
            finally:
                if self._path is None:
                    self._last = assemble(self._connection, None)
                else:
                    with contextlib.suppress(sqlite3.Error):  # what was committed is safe in the side file, too
                        settle(self._connection)
                    written_here.discard(self._inode)
                with self._queue_lock:
                    self._closed = True
                self._connection.close()

    def _inherited(self) -> bool:
        # Asked before any lock is taken: in a child a lock may have been copied while another thread held it.
        return os.getpid() != self._pid

    def _id_of(self, signal: Signal) -> int:
        known = self._signals.get(signal.name)
        if known is None:
            known = self._signals[signal.name] = len(self._signals) + 1
            self._put(
                schema.PUT_SIGNAL, known, signal.name, signal.per, signal.dtype, to_text(signal.unit), signal.formula
            )
        return known

    def _put(self, statement: str, *row: Any) -> None:
        with self._queue_lock:
            if self._closed:
                raise ValueError("this record is closed; nothing can be added to it")
            self._queue.append((statement, row))
