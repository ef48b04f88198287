"""Files that are no record, and places that cannot hold one: one clear line each, and nothing lost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import GRAD_RMS
from trimtab.core.trace import Site, Trace
from trimtab.record import Writer, read
from trimtab.record.schema import APPLICATION_ID, VERSION


def one_line(raised: pytest.ExceptionInfo[TrimtabError]) -> str:
    message = str(raised.value)
    assert message.isprintable() and len(message) < 600
    return message


def refusal_of(path) -> str:
    with pytest.raises(TrimtabError) as raised:
        read(path)
    assert repr(str(path))[1:-1] in one_line(raised)
    return one_line(raised)


def record(path) -> bytes:
    writer = Writer(path, {"script": "a.py"})
    writer.add_sites("parameter", [Site("parameter", f"p{i}", {"role": "weight"}) for i in range(40)])
    for step in range(40):
        writer.add(step, GRAD_RMS, np.arange(40.0))
    writer.close()
    return path.read_bytes()


def database(path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_missing_file_names_the_command_that_makes_one(tmp_path) -> None:
    assert "trimtab run" in refusal_of(tmp_path / "none.db")


def test_a_folder(tmp_path) -> None:
    assert "folder" in refusal_of(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "ordinary file" in refusal_of(tmp_path / "pipe")


def test_an_empty_file(tmp_path) -> None:
    (tmp_path / "a.db").touch()
    assert "empty" in refusal_of(tmp_path / "a.db")


@pytest.mark.parametrize("content", [b"import torch\n", b"\0", b"SQLite format 3\0", os.urandom(9000)])
def test_a_file_that_is_no_database(tmp_path, content: bytes) -> None:
    (tmp_path / "train.py").write_bytes(content)
    assert "no trimtab record" in refusal_of(tmp_path / "train.py")


def test_a_database_of_another_program(tmp_path) -> None:
    database(tmp_path / "a.db", "CREATE TABLE meta (key, value)")
    assert "no trimtab record" in refusal_of(tmp_path / "a.db")


def test_a_record_of_another_version_names_both(tmp_path) -> None:
    database(tmp_path / "a.db", f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION + 6}")
    message = refusal_of(tmp_path / "a.db")
    assert f"format {VERSION + 6}" in message and f"format {VERSION}" in message


def test_a_record_without_its_tables(tmp_path) -> None:
    database(tmp_path / "a.db", f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {VERSION}")
    assert "damaged: no such table" in refusal_of(tmp_path / "a.db")


def test_a_path_with_line_breaks_stays_in_one_line(tmp_path) -> None:
    assert "\\n" in refusal_of(tmp_path / "a\nb.db")
    assert "null" in refusal_of(tmp_path / "a\0b.db")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.99])
def test_a_record_cut_short(tmp_path, share: float) -> None:
    content = record(tmp_path / "a.db")
    (tmp_path / "a.db").write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refusal_of(tmp_path / "a.db")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=12)), min_size=1, max_size=8)
)
def test_a_damaged_record_is_read_or_refused_in_one_line(tmp_path, damage: list[tuple[float, bytes]]) -> None:
    if not (tmp_path / "a.db").exists():
        record(tmp_path / "a.db")
    content = bytearray((tmp_path / "a.db").read_bytes())
    for where, what in damage:
        at = int(where * (len(content) - 12))
        content[at : at + len(what)] = what
    (tmp_path / "b.db").write_bytes(content)
    try:
        assert isinstance(read(tmp_path / "b.db"), Trace)
    except TrimtabError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("content", [b"import torch\n", b"x" * 5000])
def test_a_writer_leaves_another_file_alone(tmp_path, content: bytes) -> None:
    (tmp_path / "train.py").write_bytes(content)
    with pytest.raises(TrimtabError) as raised:
        Writer(tmp_path / "train.py", {})
    assert "no trimtab record" in one_line(raised)
    assert (tmp_path / "train.py").read_bytes() == content
    assert os.listdir(tmp_path) == ["train.py"]


def test_a_writer_leaves_the_database_of_another_program_alone(tmp_path) -> None:
    database(tmp_path / "a.db", "CREATE TABLE precious (x)")
    before = (tmp_path / "a.db").read_bytes()
    with pytest.raises(TrimtabError):
        Writer(tmp_path / "a.db", {})
    assert (tmp_path / "a.db").read_bytes() == before


@pytest.mark.parametrize("name", [".", "file/a.db", "a\0b.db", "x" * 300, "/proc/none/a.db", "/dev/null"])
def test_a_place_that_cannot_hold_a_record(tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("precious")
    with pytest.raises(TrimtabError) as raised:
        Writer(name, {})
    one_line(raised)
    assert (tmp_path / "file").read_text() == "precious"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_permission_denied_is_said_in_one_line(public_path: Path) -> None:
    record(public_path / "locked.db")
    record(public_path / "kept.db")
    (public_path / "locked.db").chmod(0o000)
    (public_path / "kept.db").chmod(0o444)
    (public_path / "folder").mkdir(mode=0o555)
    script = """
import os, sys
from trimtab.core.errors import TrimtabError
from trimtab.record import Writer, read
if os.geteuid() == 0:
    os.setuid(65534)
for call in (read, lambda path: Writer(path, {})):
    for name in ("locked.db", "kept.db", "folder/a.db"):
        try:
            call(name)
            print("read", name)
        except TrimtabError as error:
            print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=public_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 6, done.stdout
    assert "locked.db as a record: Permission denied" in lines[0]
    assert lines[1] == "read kept.db"
    assert "no record at folder/a.db" in lines[2]
    assert "locked.db as a record: Permission denied" in lines[3]
    assert "kept.db is write-protected" in lines[4]
    assert "Permission denied" in lines[5] and "writable folder" in lines[5]
    assert os.listdir(public_path / "folder") == []
