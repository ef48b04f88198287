"""A record among processes: read while written, killed, forked, replaced, and written from threads."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import GRAD_RMS, LOSS
from trimtab.core.trace import Site
from trimtab.record import Writer, read

WRITING = """
import os, sys, threading
import numpy as np
from trimtab.core.signal import GRAD_RMS
from trimtab.core.trace import Site
from trimtab.record import Writer
writer = Writer("a.db", {"script": "a.py"})
writer.add_sites("parameter", [Site("parameter", str(i)) for i in range(50)])
"""


def python(code: str, folder, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITING + textwrap.dedent(code)],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def killed_run(folder) -> None:
    """A record whose writer was killed after committing 300 readings, with more of them under way."""
    with python(
        """
        for step in range(10**9):
            writer.add(step, GRAD_RMS, np.full(50, float(step)))
            if step < 300 and step % 100 == 99:
                writer.commit()
            if step == 400:
                print("there", flush=True)
                sys.stdin.read()
        """,
        folder,
        stdin=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def is_whole(trace, count: int) -> bool:
    expected = np.repeat(np.arange(float(count))[:, None], 50, axis=1)
    return np.array_equal(trace[GRAD_RMS], expected) and trace.at(GRAD_RMS).tolist() == list(range(count))


def test_a_killed_run_is_readable_up_to_its_last_commit(tmp_path) -> None:
    killed_run(tmp_path)
    assert (tmp_path / "a.db-wal").stat().st_size > 0
    assert is_whole(read(tmp_path / "a.db"), 300)
    assert is_whole(read(tmp_path / "a.db"), 300)


def test_a_run_killed_at_any_moment_is_readable(tmp_path) -> None:
    with python(
        """
        for step in range(10**9):
            writer.add(step, GRAD_RMS, np.full(50, float(step)))
            writer.commit()
            if step % 100 == 0:
                print(step, flush=True)
        """,
        tmp_path,
    ) as process:
        assert process.stdout is not None
        printed = [int(process.stdout.readline()) for _ in range(6)][-1]
        process.kill()
    trace = read(tmp_path / "a.db")
    assert len(trace.at(GRAD_RMS)) > printed
    assert is_whole(trace, len(trace.at(GRAD_RMS)))


def test_a_killed_run_is_replaced_by_a_new_one(tmp_path) -> None:
    killed_run(tmp_path)
    Writer(tmp_path / "a.db", {"script": "new.py"}).close()
    assert os.listdir(tmp_path) == ["a.db"]
    trace = read(tmp_path / "a.db")
    assert trace.meta["script"] == "new.py" and not trace.series


@pytest.mark.parametrize("lost", [[], ["a.db-shm"]])
def test_a_killed_run_in_a_folder_that_cannot_be_written(public_path: Path, lost: list[str]) -> None:
    killed_run(public_path)
    for name in lost:
        (public_path / name).unlink()
    (public_path / "link.db").symlink_to("a.db")
    public_path.chmod(0o555)
    before = sorted(os.listdir(public_path))
    code = """
import os
from trimtab.core.signal import GRAD_RMS
from trimtab.record import read
if os.geteuid() == 0:
    os.setuid(65534)
for path in ("a.db", "link.db"):
    print(len(read(path).at(GRAD_RMS)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=public_path, capture_output=True, text=True, check=True)
    assert done.stdout == "300\n300\n"
    assert sorted(os.listdir(public_path)) == before


def test_another_process_reads_while_the_run_goes_on(tmp_path) -> None:
    with python(
        """
        for step in range(10**9):
            writer.add(step, GRAD_RMS, np.full(50, float(step)))
            if step % 7 == 0:
                writer.commit()
            if step == 50:
                print("there", flush=True)
            if step % 1000 == 0 and os.path.exists("stop"):
                writer.close()
                break
        """,
        tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        counts = []
        for _ in range(20):
            trace = read(tmp_path / "a.db")
            counts.append(len(trace.at(GRAD_RMS)))
            assert is_whole(trace, counts[-1])
        (tmp_path / "stop").touch()
        while process.poll() is None:
            counts.append(len(read(tmp_path / "a.db").at(GRAD_RMS)))
    assert process.returncode == 0
    counts.append(len(read(tmp_path / "a.db").at(GRAD_RMS)))
    assert counts == sorted(counts)
    assert counts[0] >= 50


def test_a_closed_record_is_one_file_that_can_be_moved(tmp_path) -> None:
    with python("writer.add(0, GRAD_RMS, np.zeros(50)); writer.close()", tmp_path) as process:
        pass
    assert process.returncode == 0
    assert os.listdir(tmp_path) == ["a.db"]
    shutil.move(tmp_path / "a.db", tmp_path / "moved #1?.db")
    assert is_whole(read(tmp_path / "moved #1?.db"), 1)
    assert os.listdir(tmp_path) == ["moved #1?.db"]


def test_a_reader_that_stays_neither_stops_nor_harms_the_close(tmp_path) -> None:
    writer = Writer(tmp_path / "a.db", {"script": "a.py"})
    reader = sqlite3.connect(tmp_path / "a.db")
    reader.execute("BEGIN").execute("SELECT * FROM meta").fetchall()
    writer.set_steps(3)
    writer.close()
    assert read(tmp_path / "a.db").steps == 3
    reader.close()
    assert read(tmp_path / "a.db").steps == 3


def test_a_record_that_is_being_written_is_not_replaced(tmp_path) -> None:
    writer = Writer(tmp_path / "a.db", {"script": "first.py"})
    assert read(tmp_path / "a.db").meta["script"] == "first.py"  # reading here must not give the writer's lock away
    code = "from trimtab.record import Writer\nWriter('a.db', {})"
    other = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "in use by another process" in other.stderr
    with pytest.raises(TrimtabError, match="in use"):
        Writer(tmp_path / "a.db", {})
    writer.set_steps(3)
    writer.close()
    trace = read(tmp_path / "a.db")
    assert (trace.meta["script"], trace.steps) == ("first.py", 3)
    assert os.listdir(tmp_path) == ["a.db"]


def test_an_older_or_damaged_record_and_an_empty_file_are_replaced(tmp_path) -> None:
    (tmp_path / "a.db").touch()
    Writer(tmp_path / "a.db", {"script": "1"}).close()
    content = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(content[:5000])
    Writer(tmp_path / "a.db", {"script": "2"}).close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("PRAGMA user_version = 77")
    connection.close()
    Writer(tmp_path / "a.db", {"script": "3"}).close()
    assert read(tmp_path / "a.db").meta["script"] == "3"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_the_record_alone(tmp_path) -> None:
    with python(
        """
        for step in range(20):
            writer.add(step, GRAD_RMS, np.full(50, float(step)))
        writer.commit()
        writer.add(20, GRAD_RMS, np.full(50, 20.0))
        with writer._file_lock, writer._queue_lock:
            child = os.fork()
            if child == 0:
                def use():
                    writer.add_sites("layer", [Site("layer", "child")])
                    writer.add(5, GRAD_RMS, np.zeros(50))
                    writer.set_meta(script="child.py")
                    writer.set_steps(1)
                    writer.commit()
                    assert not writer.trace().series
                    writer.close()
                thread = threading.Thread(target=use)  # a thread does not own the locks that were held at the fork
                thread.start()
                thread.join(30)
                sys.exit(7 if thread.is_alive() else 0)  # an ordinary end, which frees every object
        assert os.waitpid(child, 0)[1] == 0
        for step in range(21, 30):
            writer.add(step, GRAD_RMS, np.full(50, float(step)))
        writer.commit()
        print(os.path.exists("a.db-wal"), flush=True)
        writer.close()
        """,
        tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "True\n"
    assert process.returncode == 0
    trace = read(tmp_path / "a.db")
    assert is_whole(trace, 30)
    assert trace.meta["script"] == "a.py" and not trace.of("layer")
    assert os.listdir(tmp_path) == ["a.db"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_within_a_transaction_does_not_roll_it_back(tmp_path) -> None:
    with python(
        """
        writer.add(0, GRAD_RMS, np.zeros(50))
        writer.commit()
        writer._connection.execute("PRAGMA cache_size = 1")  # pages go to the side file before the transaction ends
        for step in range(1, 2000):
            values = np.full(50, float(step), GRAD_RMS.dtype).tobytes()
            writer._connection.execute("INSERT INTO reading VALUES (1, ?, ?)", (step, values))
        child = os.fork()
        if child == 0:
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
        writer.commit()
        writer.close()
        """,
        tmp_path,
    ) as process:
        pass
    assert process.returncode == 0
    assert is_whole(read(tmp_path / "a.db"), 2000)


def test_threads_add_while_another_commits(tmp_path) -> None:
    writer = Writer(tmp_path / "a.db", {})
    writer.add_sites("loss", [Site("loss", "loss")])
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            writer.commit()

    def add(first: int) -> None:
        for step in range(first, 900, 3):
            writer.add(step, LOSS, np.array([float(step)]))

    flusher = threading.Thread(target=flush)
    adders = [threading.Thread(target=add, args=(first,)) for first in range(3)]
    for thread in (flusher, *adders):
        thread.start()
    for thread in adders:
        thread.join()
    done.set()
    flusher.join()
    writer.close()
    assert read(tmp_path / "a.db")[LOSS][:, 0].tolist() == list(range(900))


def test_a_commit_that_fails_says_so_and_the_next_one_catches_up(tmp_path) -> None:
    writer = Writer(tmp_path / "a.db", {})
    writer.add_sites("loss", [Site("loss", "loss")])
    writer.commit()
    writer._connection.execute("PRAGMA max_page_count = 1")
    for step in range(3000):
        writer.add(step, LOSS, np.array([float(step)]))
    with pytest.raises(TrimtabError, match=r"cannot write the record .*full"):
        writer.commit()
    writer._connection.execute("PRAGMA max_page_count = 100000")
    writer.close()
    assert len(read(tmp_path / "a.db").at(LOSS)) == 3000
