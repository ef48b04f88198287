"""Files that trimtab writes: refused before the run where they cannot be written, and never left half written."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from trimtab.core.errors import TrimtabError


def check_writable(path: str, option: str) -> None:
    """Raise TrimtabError unless a file can be made at `path`; nothing is left behind."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise TrimtabError(f"{option} {path}: this is a folder; name a file")
    if not os.path.isdir(folder):
        raise TrimtabError(f"{option} {path}: there is no folder {folder}; make it, or name another file")
    if _is_special(path):
        return
    try:
        # Only an attempt tells: permission bits say nothing to root, on read-only file systems or under quotas.
        with open(_beside(path), "x"):
            pass
        os.remove(_beside(path))
    except OSError as error:
        raise TrimtabError(f"{option} {path}: cannot write there ({error.strerror}); name another file") from error


def write_whole(path: str, text: str) -> None:
    """Write a text file in one move; raises TrimtabError."""
    try:
        if _is_special(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return
        target = os.path.realpath(path)
        try:
            with open(_beside(target), "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(_beside(target), target)
        finally:
            with contextlib.suppress(OSError):
                os.remove(_beside(target))
    except OSError as error:
        raise TrimtabError(f"cannot write {path}: {error.strerror}") from error


def check_record(path: str) -> None:
    """Raise TrimtabError unless a record can be made at `path`, where only an older record may lie."""
    check_writable(path, "--record")
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return
    with open(path, "rb") as file:
        if not file.read(16).startswith(b"SQLite format 3"):
            raise TrimtabError(f"--record {path}: exists and is no trimtab record; left as it is, name another file")


def default_record(stem: str) -> str:
    """A new, empty file `.trimtab/<stem>-<time>.db`, claimed at once: runs may start in the same second."""
    name = f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        if not os.path.isdir(".trimtab"):
            os.mkdir(".trimtab")
        with contextlib.suppress(FileExistsError), open(os.path.join(".trimtab", ".gitignore"), "x") as ignore:
            ignore.write("*\n")
        for suffix in ("", *(f"-{n}" for n in range(2, 1000))):
            path = os.path.join(".trimtab", f"{name}{suffix}.db")
            with contextlib.suppress(FileExistsError), open(path, "x"):
                return path
    except OSError as error:
        why = f"cannot write .trimtab in {os.getcwd()} ({error.strerror})"
        raise TrimtabError(f"{why}; say where the record goes with --record FILE") from error
    raise TrimtabError(f"cannot find a free name for the record .trimtab/{name}.db; use --record FILE")


def _beside(path: str) -> str:
    return f"{path}.{os.getpid()}.tmp"


def _is_special(path: str) -> bool:
    """Whether a pipe or device lies there: it is written to, never replaced."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
