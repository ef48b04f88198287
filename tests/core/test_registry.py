"""Choosing rules by code or prefix."""

import pytest

from trimtab.core.errors import TrimtabError
from trimtab.core.registry import select

CODES = ["TT101", "TT103", "TT301", "TT302"]


def test_prefixes_choose_and_leave_out() -> None:
    assert select(CODES, [], []) == CODES
    assert select(CODES, ["TT3"], []) == ["TT301", "TT302"]
    assert select(CODES, ["TT3", "TT101"], ["TT302"]) == ["TT101", "TT301"]


@pytest.mark.parametrize(("chosen", "ignored"), [(["TT9"], []), ([], ["XX"]), (["tt101"], [])])
def test_a_prefix_that_fits_no_code_is_a_spelling_mistake(chosen: list[str], ignored: list[str]) -> None:
    with pytest.raises(TrimtabError, match="no rule has the code"):
        select(CODES, chosen, ignored)
