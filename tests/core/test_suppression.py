"""Comments of a script that ask for silence."""

from __future__ import annotations

import pytest

from trimtab.core.settings import Ignore
from trimtab.core.suppression import noted, suppressions

SCRIPT = '''# trimtab: ignore[TT305] batches of one are meant so
text = "# trimtab: ignore[TT101]"
def f():
    """# trimtab: ignore[TT102]"""
    # trimtab: ignore[TT4]
    return 1  # trimtab:ignore[tt601]
model = build(
    1,  # trimtab: ignore[TT212 in encoder.*, TT404]
    # trimtab: ignore[TT202]
    2,
)
'''
CODES = ["TT101", "TT102", "TT202", "TT212", "TT305", "TT404", "TT601"]


def test_comments_are_found_where_they_stand_and_nothing_else_is() -> None:
    ignores, remarks = suppressions(noted(SCRIPT, "train.py"), CODES)
    assert remarks == []
    assert ignores == [
        Ignore("TT305", "train.py:1"),
        Ignore("TT4", "train.py:5"),
        Ignore("TT601", "train.py:6", lines=("train.py", 6, 6)),
        Ignore("TT212", "train.py:7", layer="encoder.*"),
        Ignore("TT404", "train.py:7", lines=("train.py", 7, 11)),
        Ignore("TT202", "train.py:7", lines=("train.py", 7, 11)),
    ]


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# trimtab: ignore[TT999]", "'TT999'"),
        ("# trimtab: ignore[TT30, TT999]", "'TT999'"),
        ("# trimtab: ignore", "not understood"),
        ("# trimtab: ignore[]", "not understood"),
        ("# trimtab: ignore[TT212 encoder.*]", "not understood"),
        ("# trimtab: ingore[TT305]", "not understood"),
    ],
)
def test_what_is_not_in_effect_is_told(comment: str, told: str) -> None:
    _, (remark,) = suppressions(noted(f"x = 1\n{comment}\n", "a.py"), CODES)
    assert remark.startswith("a.py:2: ") and told in remark


@pytest.mark.parametrize("text", ["def f(:  # trimtab: x\n(", "\0# trimtab:", "x = 1\n", "", "'''# trimtab:"])
def test_what_is_no_python_asks_for_nothing(text: str) -> None:
    noted(text, "a.py")  # never raises


@pytest.mark.parametrize(
    "notes", [None, 3, "", "nonsense", "a.py:x # trimtab: ignore[TT305]", f"a:{'9' * 5000} # trimtab: ignore[TT305]"]
)
def test_a_record_may_say_anything(notes: object) -> None:
    assert suppressions(notes, CODES) == ([], [])
