"""The page in a real browser: it draws, says nothing on the console, and asks for nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

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
        self.page.wait_for_function("document.querySelectorAll('.chart svg, .chart canvas').length === 8")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens a case as a page; whatever it says or asks for fails the test at its end."""
    visits: list[tuple[Visit, Path]] = []

    def opened(case, scheme: str = "light", width: int = 1280, height: int = 900) -> Visit:
        file = tmp_path / f"page-{len(visits)}.html"
        file.write_text(page.render(case.diagnosis, case.trace), encoding="utf-8")
        size = {"width": width, "height": height}
        visits.append((Visit(browser.new_context(color_scheme=scheme, viewport=size, offline=True), file), file))
        return visits[-1][0]

    yield opened
    for each, file in visits:
        assert each.said == []
        assert {url.partition("#")[0] for url in each.asked} == {file.as_uri()}
        each.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("name", ["sick", "vanishing"])
def test_draws_quietly(visit, scheme: str, width: int, name: str, request: pytest.FixtureRequest) -> None:
    shown = visit(request.getfixturevalue(name), scheme, width).page
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    dark = shown.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(252, 252, 251)"
    assert dark == (scheme == "dark")


def faint(shown):
    """The layers that the chart of the gains shows faintly."""
    return shown.locator(".narrow .mark-symbol path[opacity='0.2']")


def test_a_layer_that_is_chosen_is_marked_everywhere(visit, sick) -> None:
    shown = visit(sick).page
    expect(faint(shown)).to_have_count(0)
    shown.select_option(".picker select", label="net.4")
    expect(faint(shown)).to_have_count(4)
    assert shown.locator("tr.marked").get_attribute("data-place") == "2"
    assert "gain M 0.3" in shown.locator(".picker output").text_content()
    shown.keyboard.press("Escape")
    expect(faint(shown)).to_have_count(0)
    assert shown.locator("tr.marked").count() == 0
    assert shown.locator(".picker select").input_value() == "-1"


def test_a_click_in_a_chart_chooses_its_layer_and_another_click_lets_it_go(visit, sick) -> None:
    shown = visit(sick).page
    canvas = shown.locator("figure.wide canvas")
    box = canvas.bounding_box()
    place = {"x": box["width"] * 0.6, "y": 18 * 1.5 + 5}  # the second row
    canvas.click(position=place)
    assert shown.locator(".picker select").input_value() == "1"
    assert shown.locator("tr.marked th").text_content() == "net.2"
    canvas.click(position=place)
    assert shown.locator(".picker select").input_value() == "-1"


def test_the_page_is_worked_with_a_keyboard_alone(visit, sick) -> None:
    shown = visit(sick).page
    shown.locator(".layers summary").focus()
    shown.keyboard.press("Enter")
    shown.keyboard.press("Tab")
    shown.keyboard.press("Tab")  # past the table, which scrolls and so takes the focus
    shown.keyboard.press("Enter")
    assert shown.locator("tr.marked button").get_attribute("aria-pressed") == "true"
    shown.locator(".chain a").nth(1).focus()
    shown.keyboard.press("Enter")
    assert shown.locator("#TT301").is_visible()  # the link opened what holds it


def test_lines_to_paste_are_copied_or_selected(visit, sick, prescribed) -> None:
    shown = visit(sick).page
    shown.locator("article pre").first.hover()
    shown.locator("article pre button").first.click()
    expect(shown.locator("article pre button").first).to_have_text(re.compile("copied|selected"))


def test_a_large_run_is_marked_without_a_wait(visit, sick, make_training) -> None:
    trace = make_training(1000, 10_000, "transformer.encoder.blocks.{}.attention.output.projection", sampled=1000)
    shown = visit(replace(sick, trace=trace)).page
    shown.locator(".picker select").select_option(index=60)
    assert shown.locator("tr.marked").count() == 1


@pytest.mark.parametrize(
    ("name", "scheme", "width", "layer"),
    [
        ("sick", "light", 1280, ""),
        ("sick", "dark", 1280, "net.4"),
        ("vanishing", "light", 390, ""),
        ("healthy", "dark", 390, ""),
    ],
)
def test_looks_as_it_was_accepted(
    visit, prescribed, picture, name: str, scheme: str, width: int, layer: str, request: pytest.FixtureRequest
) -> None:
    shown = visit(request.getfixturevalue(name), scheme, width).page
    if layer:
        shown.select_option(".picker select", label=layer)
        expect(faint(shown)).to_have_count(4)
    picture(f"page-{name}-{scheme}-{width}.png", shown.screenshot(full_page=True))
