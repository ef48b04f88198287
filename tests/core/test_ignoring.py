"""Findings without what is to be ignored."""

from __future__ import annotations

import pytest

from trimtab.core.finding import Finding, Severity
from trimtab.core.ignoring import sift
from trimtab.core.settings import Ignore
from trimtab.core.trace import Site, Trace

SITES = {
    "loss": (Site("loss", "train.py:9", {"line": "train.py:9"}), Site("loss", "train.py:20", {"line": "train.py:20"})),
    "optimizer": (Site("optimizer", "SGD", {"line": "train.py:5"}),),
}
TRACE = Trace(SITES, {}, 10)  # type: ignore[arg-type]


def found(*where: str, code: str = "TT212") -> Finding:
    return Finding(code, "a-name", Severity.FAIL, where, 0, "something")


def left(finding: Finding, ignore: Ignore) -> tuple[list[tuple[str, ...]], int | None]:
    findings, (counted,) = sift([finding], [ignore], TRACE)
    return [f.where for f in findings], counted.taken


@pytest.mark.parametrize(
    ("where", "pattern", "kept", "taken"),
    [
        (("encoder.0", "encoder.1"), "encoder.*", [], 1),
        (("encoder.0", "head"), "encoder.*", [("head",)], 1),
        (("head",), "encoder.*", [("head",)], 0),
        (("encoder",), "encoder.*", [("encoder",)], 0),
        (("Encoder.0",), "encoder.*", [("Encoder.0",)], 0),
        (("layers[0]",), "layers[0]", [], 1),
        ((), "*", [()], 0),
    ],
)
def test_names_that_fit_are_taken_away(
    where: tuple[str, ...], pattern: str, kept: list[tuple[str, ...]], taken: int
) -> None:
    assert left(found(*where), Ignore("TT2", "x", layer=pattern)) == (kept, taken)
    assert left(found(*where, code="TT301"), Ignore("TT2", "x", layer=pattern)) == ([where], 0)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        (("train.py:9",), []),
        (("train.py:20",), [("train.py:20",)]),
        (("train.py:9", "train.py:20"), [("train.py:20",)]),
        (("other.py:9",), [("other.py:9",)]),
        (("SGD",), [("SGD",)]),
        (("encoder.0",), []),
        ((), []),
    ],
)
def test_a_comment_behind_code_holds_for_its_statement(where: tuple[str, ...], kept: list[tuple[str, ...]]) -> None:
    assert left(found(*where), Ignore("TT212", "train.py:8", lines=("train.py", 8, 10)))[0] == kept
