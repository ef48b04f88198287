"""Root causes lead, what they explain is folded beneath."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.cause import Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.ordering import RANK, order


def finding(code: str, reveals: Cause | None, causes: tuple[Cause, ...] = (), **changes: object) -> Finding:
    values = {"severity": Severity.FAIL, "sureness": 0.5, "since_step": 0, **changes}
    return Finding(code, code.lower(), where=(), message=code, causes=causes, reveals=reveals, **values)  # type: ignore[arg-type]


INPUTS = finding("TT101", Cause.INPUT_SCALE)
SATURATED = finding("TT211", Cause.SATURATION, (Cause.INPUT_SCALE, Cause.WEIGHT_SCALE))
VANISHING = finding("TT301", Cause.DEPTH, (Cause.INPUT_SCALE, Cause.SATURATION))
SLOW = finding("TT402", Cause.STEP_TOO_SMALL, (Cause.DEPTH,))


def test_every_cause_has_a_rank_and_a_sentence() -> None:
    assert set(RANK) == set(Cause)
    assert all(cause.sentence for cause in Cause)


def test_raw_inputs_that_saturate_and_make_gradients_vanish_are_one_diagnosis() -> None:
    for given_order in permutations([INPUTS, SATURATED, VANISHING, SLOW]):
        ordered = order(given_order)
        assert [f.code for f in ordered if f.root] == ["TT101"]
        assert ordered[0].code == "TT101"
        assert {f.code: f.explained_by for f in ordered} == {
            "TT101": (),
            "TT211": ("TT101",),
            "TT301": ("TT101",),
            "TT402": ("TT101", "TT301"),
        }


def test_two_faults_at_once_are_two_roots_the_surest_first() -> None:
    other = finding("TT103", Cause.NONFINITE_DATA, sureness=0.9)
    ordered = order([VANISHING, other])
    assert [(f.code, f.root) for f in ordered] == [("TT103", True), ("TT301", True)]


def test_a_note_is_no_root_and_explains_nothing() -> None:
    note = finding("TT901", Cause.BLINDNESS, severity=Severity.NOTE)
    ordered = order([note, SLOW])
    assert [(f.code, f.root) for f in ordered] == [("TT402", True), ("TT901", False)]


def test_causes_that_were_looked_for_and_not_found_are_no_longer_suspected() -> None:
    (root,) = order([VANISHING], excluded={Cause.INPUT_SCALE, Cause.SATURATION})
    assert root.causes == ()


causes = st.sampled_from(list(Cause))


@given(
    st.lists(
        st.builds(
            finding,
            st.sampled_from([f"TT{n}" for n in range(100, 120)]),
            st.none() | causes,
            st.lists(causes, max_size=4).map(tuple),
            severity=st.sampled_from(list(Severity)),
        ),
        max_size=8,
        unique_by=lambda f: f.code,
    )
)
def test_every_chain_ends_at_a_root(findings: list[Finding]) -> None:
    ordered = order(findings)
    roots = {f.code for f in ordered if f.root}
    assert len(ordered) == len(findings)
    for found in ordered:
        assert not (found.root and found.explained_by)
        if found.explained_by:
            assert found.explained_by[0] in roots
    if any(f.severity > Severity.NOTE for f in findings):
        assert roots and ordered[0].root
