"""The first page shows what the commands print. Numbers may differ in their last place from machine to machine."""

import re

import pytest

from docs.start_page import printed, shown


def in_words(text: str) -> list[list[str]]:
    """Lines without figures, dots and the spaces that they move."""
    return [re.sub(r"[\d.,…–+-]+(?:e-?\d+)?|\s+", " ", line).split()[:12] for line in text.splitlines() if line.strip()]


def test_the_demo_prints_what_the_page_shows():
    assert in_words(printed("demo")) == in_words(shown()["demo"]), "python -m docs.start_page"


@pytest.mark.slow
@pytest.mark.contract
@pytest.mark.timeout(600)
def test_the_remedy_of_the_page_is_the_one_that_is_recommended():
    now, then = printed("demo --fix"), shown()["demo --fix"]
    assert now.partition("\nhelped:")[2].splitlines()[0] == then.partition("\nhelped:")[2].splitlines()[0]
    assert now.partition("sigmoid_digits.py:30")[2] == then.partition("sigmoid_digits.py:30")[2]
