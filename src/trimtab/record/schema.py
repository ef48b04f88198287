"""The tables of a record and the two numbers in its header that tell it from other files."""

from __future__ import annotations

APPLICATION_ID = int.from_bytes(b"TRIM", "big")
VERSION = 1

# A reading is a row of its own and depends on no other, so that old ones can be thinned by deleting rows.
# Its values are the bytes of a little-endian array, one element a site; sites that were found later are missing
# at its end. Text from the script (names, attributes) is kept as ASCII JSON, which any Python string survives.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE site (kind TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, attrs TEXT NOT NULL,
                   PRIMARY KEY (kind, place));
CREATE TABLE signal (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, per TEXT NOT NULL, dtype TEXT NOT NULL,
                     unit TEXT NOT NULL, formula TEXT NOT NULL);
CREATE TABLE reading (signal INTEGER NOT NULL, step INTEGER NOT NULL, vals BLOB NOT NULL,
                      PRIMARY KEY (signal, step));
CREATE TABLE event (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL);
"""

PUT_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
PUT_SITE = "INSERT INTO site VALUES (?, ?, ?, ?)"
PUT_SIGNAL = "INSERT INTO signal VALUES (?, ?, ?, ?, ?, ?)"
PUT_READING = "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)"
PUT_EVENT = "INSERT INTO event (step, kind, data) VALUES (?, ?, ?)"
