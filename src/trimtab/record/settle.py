"""A database back to a single file, which needs a moment in which nobody else has it open."""

from __future__ import annotations

import sqlite3
import time


def settle(connection: sqlite3.Connection, patience: float = 1.0) -> bool:
    """Merge the side files and leave WAL mode; False where others kept it open for longer than `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            # Out of WAL mode the file can be read from folders where SQLite may not write its side files.
            connection.execute("PRAGMA journal_mode = DELETE")
            return True
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
