"""Whether a record is still being written, told by the lock that its writer holds: it goes with the process.

A process number would say less: numbers are used again, and those of a container mean nothing outside of it.
"""

from __future__ import annotations

import os
import struct
import sys

from trimtab.record.identity import inode_of, written_here

# SQLite's shared lock on a database: 510 bytes behind the pending byte at 2^30 and the reserved byte after it.
_FIRST, _COUNT = (1 << 30) + 2, 510
# struct flock: on Linux type, whence, start, length, process; on macOS start, length, process, type, whence.
_LAYOUTS = {"linux": ("hhqqi4x", (0, 1, 2, 3, 4)), "darwin": ("qqihh", (3, 4, 0, 1, 2))}


def has_writer(path: str) -> bool | None:
    """Whether a process holds the record open; None where this system has no way to ask.

    Another reader counts for the instant in which it reads. Raises OSError where the record cannot be opened.
    """
    if inode_of(os.stat(path)) in written_here:
        return True  # to open the file beside the writer's own connection would take its lock away
    if sys.platform not in _LAYOUTS:
        return None
    import fcntl

    layout, order = _LAYOUTS[sys.platform]
    asked = (fcntl.F_WRLCK, os.SEEK_SET, _FIRST, _COUNT, 0)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        packed = struct.pack(layout, *(asked[order.index(place)] for place in range(5)))
        answer = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, packed))
    finally:
        os.close(descriptor)
    return answer[order[0]] != fcntl.F_UNLCK
