"""`trimtab serve` answers this machine and whoever has the token, shows records as text, and reads no other file."""

from __future__ import annotations

import http.client
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlencode

import pytest

from tests.live.conftest import extend, training, write
from trimtab.core.trace import Trace
from trimtab.live import following
from trimtab.live.pages import listing
from trimtab.live.runs import Entry, Runs
from trimtab.live.server import Server
from trimtab.pipeline import diagnose
from trimtab.report.document import Document, words

HOSTILE = '</title><script>alert("a")</script>\x1b[31m\u202e{}'


@dataclass(frozen=True)
class Got:
    status: int
    text: str
    headers: dict[str, str]


class Served:
    """A server over a folder, and a client of it."""

    def __init__(self, runs: Runs) -> None:
        self.server = Server(runs)
        self.port = self.server.server_port
        self.root = f"/{self.server.site.token}/"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def get(self, path: str, method: str = "GET", host: str | None = None) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            connection.endheaders()
            answer = connection.getresponse()
            return Got(answer.status, answer.read().decode(), dict(answer.getheaders()))
        finally:
            connection.close()

    def inside(self, path: str, **options: str) -> Got:
        return self.get(self.root + path, **options)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(folder: Path, only: str | None = None) -> Served:
        started.append(Served(Runs(str(folder), only)))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def served(record: Path, serve: Callable[..., Served]) -> Served:
    """A folder with one record, `run.db`."""
    return serve(record.parent)


def test_only_this_machine_is_listened_to(served: Served) -> None:
    assert served.server.server_address[0] == "127.0.0.1"
    assert len(served.server.site.token) >= 40
    assert served.server.url == f"http://127.0.0.1:{served.port}{served.root}"


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/wrong/", "/wrong/run/run.db/page", "", "//", "http://x/y"])
def test_without_the_token_there_is_nothing(served: Served, path: str) -> None:
    got = served.get(path)
    assert (got.status, got.text) == (404, "")
    assert "Server" not in got.headers
    assert served.get(served.root[:-2] + "/").status == 404
    assert served.get(served.root[:-1]).headers["Location"] == served.root


def test_another_name_for_this_machine_is_not_answered(served: Served) -> None:
    wrong = ("127.0.0.1", f"127.0.0.1:{served.port + 1}", "localhost:80", f"127.0.0.2:{served.port}")
    for host in ("evil.example", f"evil.example:{served.port}", *wrong):
        got = served.inside("", host=host)
        assert (got.status, got.text) == (404, "")
    assert served.inside("", host=f"localhost:{served.port}").status == 200


def test_nothing_but_reading_is_possible(served: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT"):
        got = served.inside("", method=method)
        assert got.status == 501 and got.text == ""
    head = served.inside("", method="HEAD")
    assert head.status == 200 and head.text == ""


@pytest.mark.parametrize("path", ["", "run/run.db", "run/run.db/page", "run/run.db/version", "nothing"])
def test_no_page_can_be_kept_framed_or_told_of_elsewhere(served: Served, path: str) -> None:
    got = served.inside(path)
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["Referrer-Policy"] == "no-referrer"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["X-Frame-Options"] == ("SAMEORIGIN" if path.endswith("page") else "DENY")
    assert "frame-ancestors " in got.headers["Content-Security-Policy"]
    assert "unsafe" not in got.headers["Content-Security-Policy"]


def test_the_list_says_of_each_run_what_it_is(tmp_path: Path, serve: Callable[..., Served]) -> None:
    write(tmp_path / "first.db", training()).close()
    (tmp_path / "bad.db").write_text("no record")
    (tmp_path / "notes.txt").write_text("no record either")
    writer = write(tmp_path / "now.db", training(steps=12, ended=None))
    text = serve(tmp_path).inside("").text
    assert "first.db</a><small>train.py</small>" in text and "2026-11-22 18:00" in text
    assert '<b class="sick">sick</b> TT301 vanishing-gradient' in text
    assert '<span class="running">running</span>' in text
    assert "bad.db</td>" in text and "is no trimtab record" in text
    assert "notes.txt" not in text
    writer.close()


def test_a_record_that_cannot_be_read_says_why_in_its_frame(tmp_path: Path, serve: Callable[..., Served]) -> None:
    (tmp_path / "bad.db").write_text("no record")
    served = serve(tmp_path)
    assert served.inside("run/bad.db").status == 200
    page = served.inside("run/bad.db/page")
    assert page.status == 200 and "bad.db is no trimtab record" in page.text
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_folder_without_records(tmp_path: Path, serve: Callable[..., Served]) -> None:
    assert "There is no record here yet" in serve(tmp_path / "missing").inside("").text


def test_more_runs_than_a_list_takes_are_counted(
    tmp_path: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.live.server.MOST", 2)
    for n in range(5):
        write(tmp_path / f"{n}.db", training(steps=6)).close()
        os.utime(tmp_path / f"{n}.db", (0, 1000 + n))
    text = serve(tmp_path).inside("").text
    assert ">4.db<" in text and ">3.db<" in text and ">2.db<" not in text


ELSEWHERE = ["../secret.db", "..%2fsecret.db", "%2e%2e/secret.db", "..%252fsecret.db", "%2e%2e%2fsecret.db", "link.db",
             "folder.db", "run.db%00", "./run.db", "run.db-wal", "notes.txt", "", "."]  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("rest", ["", "/page", "/version"])
def test_no_file_is_read_but_the_records_of_the_folder(
    record: Path, serve: Callable[..., Served], name: str, rest: str
) -> None:
    folder = record.parent / "served"
    folder.mkdir()
    record.rename(folder / "run.db")
    write(record.parent / "secret.db", training(name="secret")).close()
    (folder / "link.db").symlink_to(record.parent / "secret.db")
    (folder / "folder.db").mkdir()
    (folder / "notes.txt").write_text("text")
    served = serve(folder)
    assert served.inside("run/run.db/page").status == 200
    got = served.inside(f"run/{name}{rest}")
    assert (got.status, got.text) == (404, "")
    assert served.inside(f"compare/run.db/{name}").status == 404
    assert "link.db" not in served.inside("").text


def test_one_record_alone_may_have_any_name(record: Path, serve: Callable[..., Served]) -> None:
    record.rename(record.parent / "a run %2f.rec")
    write(record.parent / "other.db", training()).close()
    served = serve(record.parent, "a run %2f.rec")
    assert "other.db" not in served.inside("").text
    assert served.inside("run/other.db").status == 404
    assert served.inside(f"run/{quote('a run %2f.rec', safe='')}/page").status == 200


def test_what_a_script_calls_things_is_only_shown(tmp_path: Path, serve: Callable[..., Served]) -> None:
    trace = training(name=HOSTILE)
    name = '"><script>alert(1)<!--.db'
    write(tmp_path / name, replace(trace, meta={**trace.meta, "script": HOSTILE, "started": HOSTILE})).close()
    (tmp_path / "<img src=x onerror=alert(2)>.db").write_text("no record")
    served = serve(tmp_path)
    for path in ("", f"run/{quote(name, safe='')}", f"run/{quote(name, safe='')}/page"):
        text = served.inside(path).text
        assert text.startswith("<!DOCTYPE html>")
        assert "<script>alert" not in text and "<img src=x" not in text and "\x1b" not in text and "\u202e" not in text


def test_a_run_is_shown_as_it_goes(
    tmp_path: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAUSE", 0.0)
    monkeypatch.setattr(following, "_SHARE", 0.0)
    writer = write(tmp_path / "run.db", training(steps=30, ended=None))
    served = serve(tmp_path)
    frame = served.inside("run/run.db").text
    assert 'data-state="running"' in frame and "SICK" in served.inside("run/run.db/page").text
    version = served.inside("run/run.db/version").text
    assert version.endswith(" running")
    assert served.inside("run/run.db/version").text == version
    extend(writer, training(steps=43, ended=None), start=30)
    later = served.inside("run/run.db/version").text
    assert later != version and later.endswith(" running")
    assert "43" in served.inside("run/run.db/page").text
    writer.set_meta(ended="end")
    writer.close()
    assert served.inside("run/run.db/version").text.endswith(" ended")
    assert 'data-state="ended"' in served.inside("run/run.db").text


def test_two_runs_are_compared(record: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(a: Trace, b: Trace) -> Document:
        assert (a.steps, b.steps) == (60, 20)
        return words(diagnose(a), a)

    comparison = ModuleType("trimtab.report.comparison")
    comparison.compare = compare  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trimtab.report.comparison", comparison)
    write(record.parent / "other run.db", training(steps=20)).close()
    served = serve(record.parent)
    to = served.inside("compare?a=run.db&b=other+run.db")
    assert (to.status, to.headers["Location"]) == (303, f"{served.root}compare/run.db/other%20run.db")
    assert f'<iframe src="{to.headers["Location"]}/page"' in served.get(to.headers["Location"]).text
    page = served.get(to.headers["Location"] + "/page")
    assert page.status == 200 and "<title>trimtab: run.db and other run.db</title>" in page.text
    assert served.inside("compare/run.db/missing.db").status == 404
    assert served.inside("compare").headers["Location"] == f"{served.root}compare//"


def test_the_newest_run_is_compared_with_the_one_before_of_the_same_script() -> None:
    runs = [Entry("c.db", script="a.py"), Entry("b.db", script="b.py"), Entry("a.db", script="a.py")]
    for entries, before in ((runs, "a.db"), (runs[:2], "b.db")):
        html = listing("/token/", "folder", entries, 0).html
        assert re.findall(r'name="(.)" value="([^"]*)"[^>]* checked', html) == [("b", "c.db"), ("a", before)]


def test_what_is_picked_in_the_list_is_compared_whatever_its_name(
    record: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a browser sends it: the values of the ticked fields, percent-encoded once more."""
    names = [os.fsencode(name) for name in ("a run é.db", 'new\nline & <b>"%20.db')] + [b"no unicode \xff.db"]
    for name in names:
        os.link(record, os.path.join(os.fsencode(record.parent), name))
    served = serve(record.parent)
    values = re.findall('name="a" value="([^"]*)"', served.inside("").text)
    assert len(values) == 4
    for value in values:
        to = served.inside("compare?" + urlencode({"a": value, "b": value})).headers["Location"]
        assert served.get(to).status == 200


def test_only_runs_that_can_be_read_are_ticked(record: Path, serve: Callable[..., Served]) -> None:
    write(record.parent / "older.db", training(steps=20)).close()
    broken = record.parent / "broken.db"
    broken.write_bytes(b"no record")
    for age, path in enumerate((record, broken, record.parent / "older.db")):
        os.utime(path, (1e9 - age, 1e9 - age))
    ticked = re.findall('name="(.)" value="([^"]*)" aria-label="[^"]*" checked', serve(record.parent).inside("").text)
    assert sorted(ticked) == [("a", "older.db"), ("b", "run.db")]
