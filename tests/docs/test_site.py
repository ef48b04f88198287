"""The site is built without a warning, opens from its folder, asks nothing of the network, and its pictures move."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from docs.moving import NAMES

ROOT = Path(__file__).parents[2]
BROWSER = next(
    (path for name in ("chromium", "google-chrome", "chromium-browser") if (path := shutil.which(name))), None
)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CHAPTERS = {"rate": "01-descent", "ema": "02-averages", "epsilon": "05-adam", "depth": "07-gradients"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
in_browser = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, whichever of the processes that run the tests comes first."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with FileLock(shared / "site.lock"):
        if not (shared / "site").exists():
            build(shared / "site")
    return shared / "site"


def build(folder: Path) -> None:
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield opened
        opened.close()


class Visit:
    """A page, what it asked for outside the site, and what it said in the console."""

    def __init__(self, browser, site: Path, name: str, width: int = 1000) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, offline=True)
        inside = (site.as_uri() + "/", "data:", "blob:", "about:")
        self.page.on(
            "request", lambda request: None if request.url.startswith(inside) else self.asked.append(request.url)
        )
        self.page.on("console", lambda said: self.said.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto((site / name).as_uri())


def test_it_holds_every_page_and_every_formula(site: Path):
    for name in (
        "index",
        "start",
        "methods",
        "rules",
        "remedies",
        "cli",
        "design",
        "scoreboard",
        "benchmarks",
        "changelog",
    ):
        assert (site / f"{name}.html").stat().st_size > 5000
    chapters = sorted((site / "lecture").glob("*.html"))
    assert len(chapters) == 12
    for chapter in chapters:
        text = chapter.read_text(encoding="utf-8")
        assert "<math" in text and 'class="arithmatex"' not in text and 'class="highlight"' in text
    assert not list(site.rglob("*.py"))


@pytest.mark.parametrize(
    "name", ["index.html", "lecture/05-adam.html", "reference/nn.html", "remedies.html", "start.html"]
)
@pytest.mark.parametrize("width", [390, 1280])
class TestPages:
    pytestmark = in_browser

    def test_a_page_asks_nothing_of_the_network_and_fits(self, browser, site: Path, name: str, width: int):
        visit = Visit(browser, site, name, width)
        visit.page.wait_for_timeout(300)
        assert visit.asked == [] and visit.said == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        visit.page.close()


class TestMoving:
    pytestmark = in_browser

    @pytest.mark.parametrize("name", NAMES)
    def test_a_slider_moves_the_picture_by_keyboard(self, browser, site: Path, name: str):
        visit = Visit(browser, site, f"lecture/{CHAPTERS[name]}.html")
        figure = visit.page.locator(f"[data-moving={name}]")
        figure.locator(".live svg").first.wait_for()
        assert not figure.locator("img").is_visible()
        before = figure.locator(".live svg").first.inner_html()
        slider = figure.locator("input[type=range]").first
        slider.focus()
        for _ in range(5):
            slider.press("ArrowRight")
        visit.page.wait_for_timeout(300)
        assert figure.locator(".live svg").first.inner_html() != before
        assert visit.asked == [] and visit.said == []
        visit.page.close()

    def test_a_slider_keeps_its_place_when_the_colours_change(self, browser, site: Path):
        visit = Visit(browser, site, "lecture/07-gradients.html")
        slider = visit.page.locator("[data-moving=depth] input[type=range]").first
        slider.wait_for()
        slider.focus()
        slider.press("ArrowRight")
        chosen = slider.input_value()
        visit.page.evaluate("document.body.setAttribute('data-md-color-scheme', 'slate')")
        visit.page.wait_for_timeout(700)
        assert slider.input_value() == chosen
        assert visit.said == []
        visit.page.close()


class TestSearch:
    pytestmark = in_browser

    def test_it_finds_from_a_folder(self, browser, site: Path):
        visit = Visit(browser, site, "index.html", 1280)
        visit.page.locator("input.md-search__input").click()
        visit.page.keyboard.type("vanishing gradient")
        visit.page.locator(".md-search-result__item").first.wait_for()
        assert "anishing" in visit.page.locator(".md-search-result__list").inner_text()
        assert visit.asked == [] and visit.said == []
        visit.page.close()
