"""The methods' pages hold: their code runs, what they name exists, their pictures are drawn by the components."""

import importlib
import re
from pathlib import Path

import pytest
import torch

from docs.pictures.__main__ import NAMES, svg

DOCS = Path(__file__).parent.parent / "docs"
TABLE = DOCS / "methods.md"
PAGES = sorted((DOCS / "methods").glob("*.md"))
LARGEST = 60_000  # bytes of a picture


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page: Path):
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    said = re.findall(r"^print\(.*?\)(?: +# (.*?)(?:: .*)?)?$", code, re.MULTILINE)
    printed: list[str] = []
    torch.manual_seed(0)
    exec(compile(code, page.name, "exec"), {"print": lambda *values: printed.append(" ".join(map(str, values)))})
    assert len(printed) == len(said) and len(code) > 500
    assert [line for line, what in zip(printed, said, strict=True) if what and line != what] == []


@pytest.mark.parametrize("page", [TABLE, *PAGES], ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path):
    named = set(re.findall(r"`(trimtab(?:\.\w+)+)", page.read_text(encoding="utf-8")))
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
    tables = re.findall(r"^(\| method .*)\n\|[-|]+\n((?:\|.*\n)+)", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
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


def test_every_page_is_linked_from_the_table_and_shows_its_picture():
    table = TABLE.read_text(encoding="utf-8")
    for page in PAGES:
        assert f"(methods/{page.name})" in table
        assert f"({page.stem}.svg)" in page.read_text(encoding="utf-8")
    assert sorted(NAMES) == [page.stem for page in PAGES]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_there_and_can_be_drawn(name: str):
    for text in ((DOCS / "methods" / f"{name}.svg").read_text(encoding="utf-8"), svg(name)):
        assert text.startswith("<svg") and 'fill="white"' in text and len(text.encode()) < LARGEST
