"""The lecture holds: its chapters have one form, what they name exists, their pictures are drawn by the components."""

import importlib
import re
from pathlib import Path

import pytest

from docs.pictures.__main__ import NAMES, STILL, svg
from docs.theme.reference import written

DOCS = Path(__file__).parents[2] / "docs"
TABLE = DOCS / "methods.md"
CHAPTERS = sorted((DOCS / "lecture").glob("*.md"))
PARTS = [
    "The idea",
    "The formula",
    "The picture",
    "The reference",
    "How to use it",
    "Textbook and torch",
    "Slips",
    "Sources",
]
LARGEST = 60_000  # bytes of a picture


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def part(page: Path, heading: str) -> str:
    """The text under a heading, to the next of its rank."""
    return text_of(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_has_the_parts_of_a_chapter(page: Path):
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.S)
    assert re.findall(r"^## (.*)$", prose, re.M) == PARTS
    assert "$" in part(page, "The formula") and ".svg)" in part(page, "The picture")
    assert "```" in part(page, "The reference") and "```python" in part(page, "How to use it")
    assert "|---|---|---|" in part(page, "Slips")


def test_there_are_twelve_and_each_says_its_number():
    assert len(CHAPTERS) == 12
    for number, page in enumerate(CHAPTERS, 1):
        assert page.name.startswith(f"{number:02d}-") and text_of(page).startswith(f"# {number} ")
        assert f"(lecture/{page.name})" in text_of(TABLE)


def test_a_reference_is_the_source_as_it_stands():
    named = [
        n
        for page in CHAPTERS
        for block in re.findall(r"```reference\n(.*?)```", text_of(page), re.S)
        for n in block.split()
    ]
    assert len(named) > 25
    for name in named:
        assert name.startswith("trimtab.methods.") and f"def {name.rpartition('.')[2]}(" in written(name)


@pytest.mark.parametrize("page", [TABLE, *CHAPTERS], ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path):
    named = set(re.findall(r"(?:`|^)(trimtab(?:\.\w+)+)", text_of(page), re.M))
    assert named
    assert [name for name in sorted(named) if not exists(name)] == []


def exists(name: str) -> bool:
    """Whether it is a module, or an attribute of one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_every_reference_and_component_in_the_table_exists():
    tables = re.findall(r"^(\| method .*)\n\|[-|]+\n((?:\|.*\n)+)", text_of(TABLE), re.MULTILINE)
    columns = [column for head, rows in tables for column in zip(*map(cells, [head, *rows.splitlines()]), strict=True)]
    named = [
        f"{where[1]}.{name}"
        for head, *body in columns
        if (where := re.search(r"(?:reference|component), in `([\w.]+)`", head))
        for cell in body
        for name in re.findall(r"`([\w.]+)(?![\w.=])", cell)
    ]
    assert len(named) > 60
    assert [name for name in named if not exists(name)] == []


def cells(row: str) -> list[str]:
    return row.strip().strip("|").split("|")


def test_every_picture_is_shown():
    shown = [name for page in CHAPTERS for name in re.findall(r"\]\(([\w-]+)\.svg\)", text_of(page))]
    assert sorted(shown) == sorted(NAMES)
    assert len(STILL) == len(CHAPTERS)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_there_and_can_be_drawn(name: str):
    for text in (text_of(DOCS / "lecture" / f"{name}.svg"), svg(name)):
        assert text.startswith("<svg") and 'fill="white"' in text and len(text.encode()) < LARGEST
