"""Every remedy has its page, as the remedy, the clinic's results and the stored runs have it."""

import pytest

from docs.remedy_pages import INDEX, PAGES, index, page, svg
from trimtab.core.remedy import Remedy
from trimtab.remedies import all_remedies


@pytest.mark.parametrize("remedy", all_remedies(), ids=lambda remedy: remedy.name)
def test_every_remedy_has_its_page(remedy: Remedy):
    path = PAGES / f"{remedy.name}.md"
    assert path.read_text(encoding="utf-8") == page(remedy), "python -m docs.remedy_pages"
    assert (svg(remedy) is None) == (not path.with_suffix(".svg").exists())


def test_the_index_is_as_the_remedies_are():
    assert INDEX.read_text(encoding="utf-8") == index(), "python -m docs.remedy_pages"
    assert {path.stem for path in PAGES.glob("*.md")} == {remedy.name for remedy in all_remedies()}
