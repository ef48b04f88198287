"""What is served, in a real browser: a run's page is renewed where it stands, and no policy is broken."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import extend, training, write
from trimtab.live import following
from trimtab.live.runs import Runs
from trimtab.live.server import Server

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here: install it to see that a page is renewed in place"),
]


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A page of a browser on the list of runs, and what was said on its console."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setattr(following, "PAUSE", 0.0)
    monkeypatch.setattr(following, "_SHARE", 0.0)
    server = Server(Runs(str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        page = browser.new_page(viewport={"width": 900, "height": 500})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page, server.url, said
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()


def _until(page, condition: str) -> None:
    """Playwright's own waiting evaluates text within the page, which its policy forbids."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(condition)


def test_a_running_page_is_renewed_where_it_stands(tmp_path: Path, visit) -> None:
    page, url, said = visit
    writer = write(tmp_path / "run.db", training(steps=30, ended=None))
    page.goto(url)
    page.click("text=run.db")
    shown = page.wait_for_selector("iframe").content_frame()
    shown.wait_for_selector("text=SICK after 30 steps")
    shown.evaluate("scrollTo(0, 200)")
    shown.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    extend(writer, training(steps=43, ended=None), start=30)
    _until(page, "frames.length === 1 && frames[0].document.body.textContent.includes('SICK after 43 steps')")
    assert page.evaluate("frames[0].scrollY") == 200
    assert page.inner_text("#state") == "running"
    writer.set_meta(ended="end")
    writer.close()
    _until(page, "document.getElementById('state').textContent === 'ended' && frames.length === 1")
    assert said == []


def test_the_list_keeps_what_is_chosen_when_it_is_renewed(tmp_path: Path, visit) -> None:
    page, url, said = visit
    for name in ("a.db", "b.db", "c.db"):
        write(tmp_path / name, training(steps=12)).close()
    page.goto(url)
    page.check("input[name=a][value='a.db']")
    page.check("input[name=b][value='c.db']")
    write(tmp_path / "new.db", training(steps=13, ended=None)).close()
    page.wait_for_selector("text=new.db")
    assert page.evaluate("[...document.querySelectorAll('input:checked')].map((each) => each.value).sort()") == [
        "a.db",
        "c.db",
    ]
    assert said == []


def test_on_a_small_screen_every_run_shows_its_diagnosis(tmp_path: Path, visit) -> None:
    page, url, said = visit
    for name in ("a-run-with-a-rather-long-name-20261130-222743.db", "b.db"):
        write(tmp_path / name, training(steps=12)).close()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    cells = [cell.bounding_box() for cell in page.query_selector_all("td:last-child")]
    assert all(cell is not None and cell["x"] >= 0 and cell["x"] + cell["width"] <= 390 for cell in cells)
    assert max(row.bounding_box()["height"] for row in page.query_selector_all("tbody tr")) < 160
    assert said == []
