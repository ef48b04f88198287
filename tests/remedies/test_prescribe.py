import pytest

from trimtab.core.cause import OF_SHORT_STEPS, OF_THE_START, Cause
from trimtab.core.finding import Finding, Severity
from trimtab.core.trace import Trace
from trimtab.remedies import prescribe


def prescribed(reveals: Cause) -> set[str]:
    """For a finding that, like most, suspects what a run begins with, outliers in the data among it."""
    finding = Finding("TT301", "some-finding", Severity.FAIL, (), 0, "", {}, causes=OF_THE_START, reveals=reveals)
    return {each.remedy.name for each in prescribe(finding, Trace({}, {}, 0))}


@pytest.mark.parametrize("cause", OF_SHORT_STEPS)
def test_what_shortens_the_steps_is_no_remedy_for_short_ones(cause: Cause) -> None:
    assert not {"clip-by-norm", "clip-by-value"} & prescribed(cause)


def test_spikes_are_clipped() -> None:
    assert {"clip-by-norm", "clip-by-value"} <= prescribed(Cause.SPIKES)
