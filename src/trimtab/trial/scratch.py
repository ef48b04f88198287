"""A copy of the script's working folder for each trial: what a trial writes, it writes there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trimtab.core.errors import TrimtabError

LEFT_OUT = shutil.ignore_patterns(".git", ".hg", ".venv", "venv", "__pycache__", ".trimtab", "node_modules", "*.pyc")
MOST_BYTES = 2 * 1024**3


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A copy of `folder`, removed at the end; raises TrimtabError where it is too large to be copied for each trial."""
    size = _size(folder)
    if size > MOST_BYTES:
        raise TrimtabError(
            f"{folder} holds {size / 1e9:.1f} GB, which every trial would copy; "
            "start trimtab in a folder that holds the script, and give it the path of the data"
        )
    with tempfile.TemporaryDirectory(prefix="trimtab-trial-", ignore_cleanup_errors=True) as place:
        copy = Path(place) / (folder.name or "work")
        shutil.copytree(folder, copy, symlinks=True, ignore=LEFT_OUT, ignore_dangling_symlinks=True)
        yield copy


def _size(folder: Path) -> int:
    total = 0
    for path, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in (".git", ".hg", ".venv", "venv", "node_modules", ".trimtab")]
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size
        if total > MOST_BYTES:
            break
    return total
