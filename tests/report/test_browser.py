"""The page in a real browser: it draws, says nothing on the console, and asks for nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.report import page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None, reason="no chromium here: install it to see that the page draws and asks for nothing"
    ),
]


class Visit:
    """A page that was opened, and what it did."""

    def __init__(self, context, file: Path) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_function("document.querySelectorAll('.chart svg, .chart canvas').length === 5")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", ["sick", "vanishing"])
def test_draws_quietly(
    browser, scheme: str, width: int, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = request.getfixturevalue(name)
    file = tmp_path / "page.html"
    file.write_text(page.render(case.diagnosis, case.trace), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    visit = Visit(context, file)
    assert visit.said == []
    assert visit.asked == [file.as_uri()]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    dark = visit.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(252, 252, 251)"
    assert dark == (scheme == "dark")
    context.close()
