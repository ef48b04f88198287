"""A new, empty record at a path: an old record is replaced in one move, anything else is left alone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping

from trimtab.core.errors import TrimtabError
from trimtab.core.trace import Scalar
from trimtab.record.encoding import to_text
from trimtab.record.identity import header_of, reason, shown
from trimtab.record.schema import APPLICATION_ID, PUT_META, TABLES, VERSION
from trimtab.record.settle import settle


def create(path: str, meta: Mapping[str, Scalar]) -> sqlite3.Connection:
    """Make the record at an absolute path and open it for writing; raises TrimtabError where that cannot be done."""
    found = header_of(path)
    if found is not None and found.size > 0 and found.version is None:
        raise TrimtabError(f"{shown(path)} exists and is no trimtab record: left as it is; name another file")
    if found is not None and not os.access(path, os.W_OK):
        raise TrimtabError(f"{shown(path)} is write-protected: left as it is; name another file")
    # Built beside its place and moved there: no reader ever meets a half-made record, and a failure costs nothing.
    fresh = f"{path}.{os.getpid()}.new"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(fresh, "wb"):
            pass
        with contextlib.closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA journal_mode = MEMORY")  # half-made it is thrown away, never rolled back
            fill(connection, meta)
        if found is not None and found.size > 0:
            _retire(path)
        os.replace(fresh, path)
        return _open(path)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise TrimtabError(
            f"cannot write the record {shown(path)}: {reason(error)}; name a file in a writable folder on a local disk"
        ) from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.remove(fresh)


def fill(connection: sqlite3.Connection, meta: Mapping[str, Scalar]) -> None:
    """Put the header, the empty tables and the first meta values into an empty database."""
    # One transaction: each of its own would wait for the disk.
    connection.executescript(
        f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; {TABLES} COMMIT;"
    )
    with connection:
        connection.executemany(PUT_META, [(key, to_text(value)) for key, value in meta.items()])


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # The first read takes the lock by which others see that this record has a writer.
    connection.execute("SELECT count(*) FROM meta").fetchone()
    return connection


def _retire(path: str) -> None:
    """Leave an old record without users and side files; raises TrimtabError while another process has it open."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as old:
            free = settle(old)
    except sqlite3.DatabaseError:
        free = True  # a damaged record has no user, and is replaced like any other
    if not free:
        raise TrimtabError(f"the record {shown(path)} is in use by another process; wait for it or name another file")
    for suffix in ("-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path + suffix)
