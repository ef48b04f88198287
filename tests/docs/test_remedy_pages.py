"""Every remedy has its page, as the remedy, the clinic's results and the stored runs have it."""

import pytest

from clinic.healed import HEALS
from docs.pictures.remedies import svg
from docs.remedy_pages import INDEX, PAGES, index, page
from docs.remedy_runs import runs
from trimtab.core.remedy import Remedy
from trimtab.remedies import all_remedies


@pytest.mark.parametrize("remedy", all_remedies(), ids=lambda remedy: remedy.name)
def test_every_remedy_has_its_page(remedy: Remedy):
    path = PAGES / f"{remedy.name}.md"
    assert path.read_text(encoding="utf-8") == page(remedy), "python -m docs.remedy_pages"
    assert (remedy.name in runs()) == path.with_suffix(".svg").exists()


@pytest.mark.parametrize("name", sorted(runs()))
def test_a_picture_is_drawn_from_the_stored_run(name: str):
    for text in (svg(runs()[name]), (PAGES / f"{name}.svg").read_text(encoding="utf-8")):
        assert text.startswith("<svg") and runs()[name]["program"].replace("_", " ") in text


def test_every_remedy_that_heals_a_program_has_a_run():
    assert {recipe.partition("=")[0] for recipe in HEALS} == set(runs()), "python -m docs.remedy_runs"


def test_the_index_is_as_the_remedies_are():
    assert INDEX.read_text(encoding="utf-8") == index(), "python -m docs.remedy_pages"
    assert {path.stem for path in PAGES.glob("*.md")} == {remedy.name for remedy in all_remedies()}
