"""A connection that a forked child inherits is never used there, and never closed: SQLite forbids even that."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import weakref

_held: weakref.WeakKeyDictionary[object, sqlite3.Connection] = weakref.WeakKeyDictionary()


def keep_from_children(owner: object, connection: sqlite3.Connection) -> None:
    """Make `connection` immortal in children forked while `owner` lives."""
    _held[owner] = connection


def _leak() -> None:
    # Closing would roll back through memory shared with the parent; one reference too many keeps Python from it.
    for connection in _held.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leak)
