from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trimtab.report.names import clean, enumerate_names, shorten, unique_labels

ANYTHING = st.text(st.characters())


@given(ANYTHING, st.integers(8, 60))
def test_a_short_name_is_short_and_printable(name: str, width: int) -> None:
    short = shorten(name, width)
    assert len(short) <= width
    assert short.isprintable()


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_the_ends_of_a_long_name_stay() -> None:
    short = shorten("encoder." + "inner." * 20 + "attention.7", 24)
    assert short.startswith("encoder")
    assert short.endswith("attention.7")


def test_names_in_a_row() -> None:
    assert enumerate_names(["a", "b"]) == "a, b"
    assert enumerate_names([str(i) for i in range(1234)]) == "0, 1, 2 and 1,231 more"


@given(st.lists(ANYTHING, unique=True, max_size=30))
def test_labels_are_never_alike(names: list[str]) -> None:
    labels = unique_labels(names)
    assert len(set(labels)) == len(names) == len(labels)
    assert all(len(label) <= 24 for label in labels)


def test_labels_leave_out_what_all_share() -> None:
    blocks = [f"model.transformer.blocks.{i}.attention.projection" for i in range(12)]
    assert unique_labels(blocks) == [f"blocks.{i}" for i in range(12)]
    assert unique_labels(["net.0", "net.2"]) == ["net.0", "net.2"]
    assert unique_labels(["fc1", "fc2"]) == ["fc1", "fc2"]
