"""What lies at a path: nothing, a record, or something else. Read from the header alone, without opening a database."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from trimtab.core.errors import TrimtabError
from trimtab.record.schema import APPLICATION_ID, VERSION

_MAGIC = b"SQLite format 3\0"

# Records that this process is writing. POSIX drops all locks of a process on a file when any of its descriptors for
# that file is closed: opening such a record here by other means than SQLite would take the writer's lock away.
written_here: set[tuple[int, int]] = set()


@dataclass(frozen=True, slots=True)
class Header:
    """The start of a file: its size in bytes, and the version of its format where it is a record."""

    size: int
    version: int | None


def header_of(path: str) -> Header | None:
    """The header of the file at `path`, None where there is none; raises TrimtabError for what cannot be a record."""
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise TrimtabError(f"{shown(path)} is a folder, not a record; name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise TrimtabError(f"{shown(path)} is a device or pipe, not a record; name an ordinary file")
        if inode_of(found) in written_here:
            return Header(found.st_size, VERSION)
        with open(path, "rb") as file:
            start = file.read(100)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TrimtabError(f"cannot use {shown(path)} as a record: {reason(error)}; name another file") from error
    # Offsets of SQLite's file format: 60 user_version, 68 application_id, both big-endian.
    ours = start.startswith(_MAGIC) and int.from_bytes(start[68:72], "big") == APPLICATION_ID
    return Header(found.st_size, int.from_bytes(start[60:64], "big") if ours else None)


def absolute(path: str) -> str:
    """The path from the root, links followed; raises TrimtabError for what no path can be."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise TrimtabError(f"cannot use {shown(path)} as a record: {reason(error)}; name another file") from error


def inode_of(found: os.stat_result) -> tuple[int, int]:
    """What stays the same for a file whatever name it is reached by."""
    return found.st_dev, found.st_ino


def shown(path: str) -> str:
    """The path as it stands in a message of one line."""
    return path if path.isprintable() and path else repr(path)


def reason(error: BaseException) -> str:
    """Why the system refused, in one line, without the path that the message names already."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return "".join(c if c.isprintable() else " " for c in said)[:200]
