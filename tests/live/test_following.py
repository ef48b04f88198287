"""A record is followed while it grows, cheaply, until its run has ended or is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import environment, extend, training, write
from trimtab.core.errors import TrimtabError
from trimtab.live import following
from trimtab.live.following import Follower, newest, snapshot
from trimtab.live.panel import Panel
from trimtab.live.presence import has_writer

WRITES = """
import sys, time
sys.path.insert(0, sys.argv[2])
from tests.live.conftest import training, write
writer = write(sys.argv[1], training(ended=None))
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A record that another process holds open, and that process."""
    path, root = tmp_path / "run.db", Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, path, root], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "written\n"
    yield path, process
    process.kill()
    process.communicate()


def test_news_come_when_something_was_written_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    writer = write(path, training(steps=30, ended=None))
    follower = Follower(str(path))
    first = follower.news()
    assert first is not None and first.trace.steps == 30
    assert follower.news() is None
    extend(writer, training(steps=40, ended=None), start=30)
    second = follower.news()
    assert second is not None and second.trace.steps == 40
    writer.set_meta(ended="end")
    writer.close()
    last = follower.news()
    assert last is not None and (last.state, last.trace.meta["ended"]) == ("ended", "end")
    assert last.seconds is not None
    assert follower.news() is None


def test_nothing_is_read_while_nothing_was_written(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(str(record))
    assert follower.news() is not None
    monkeypatch.setattr(following, "read", lambda path: pytest.fail("read again"))
    assert follower.news() is None


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="asks for locks")
def test_a_killed_run_is_told_from_one_that_goes(
    elsewhere: tuple[Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, process = elsewhere
    follower = Follower(str(path))
    first = follower.news()
    assert first is not None and first.state == "running"
    assert has_writer(str(path))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert has_writer(str(path)) is False
    assert snapshot(str(path)).state == "running"  # it may be about to say how it ended
    os.utime(path, (0, time.time() - 60))
    os.utime(f"{path}-wal", (0, time.time() - 60))
    last = follower.news()
    assert last is not None and (last.state, last.trace.steps) == ("killed", 60)
    assert follower.news() is None


def test_a_record_that_is_only_claimed_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "run.db").touch()
    assert Follower(str(tmp_path / "run.db")).news() is None


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.db").write_text("text")
    for name in ("run.db", "missing.db"):
        with pytest.raises(TrimtabError, match=r"run\.db is no trimtab record|no record at"):
            Follower(str(tmp_path / name)).news()


def test_an_older_record_in_the_place_is_not_taken_for_the_run(record: Path) -> None:
    panel = Panel(str(record), "train.py")
    assert not panel.look()
    assert "nothing recorded yet" in " ".join(panel.lines(8, 80))
    write(record, training(steps=33, ended=None)).close()
    assert panel.look()
    assert "33" in " ".join(panel.lines(8, 80))


def test_the_newest_record_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(TrimtabError, match="no record in"):
        newest(str(tmp_path / "missing"))
    for place, name in enumerate(("b.db", "c.db", "a.db")):
        write(tmp_path / name, training(steps=6)).close()
        os.utime(tmp_path / name, (0, 1000 + place))
    assert newest(str(tmp_path)) == str(tmp_path / "a.db")
