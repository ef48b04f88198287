"""What goes into a record comes out of it: values, sites, events and facts."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trimtab.core.signal import GRAD_RMS, IN_RMS, LEARNING_RATE, LOSS, Signal
from trimtab.core.trace import Event, Site
from trimtab.record import Writer, read

# Adjacent surrogates are excluded: JSON joins a pair into the character that it stands for.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["\ud800", "a\0b", "", "\u2028"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES
SINGLES = hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(width=32))
DOUBLES = hnp.arrays(np.float64, st.tuples(st.integers(0, 6), st.just(1)), elements=st.floats())
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def memory(signal: Signal, count: int) -> Writer:
    writer = Writer(None, {})
    writer.add_sites(signal.per, [Site(signal.per, str(i)) for i in range(count)])
    return writer


@FEW
@given(SINGLES, DOUBLES)
def test_values_survive_bit_for_bit(singles: np.ndarray, doubles: np.ndarray) -> None:
    writer = memory(GRAD_RMS, 3)
    writer.add_sites("loss", [Site("loss", "loss")])
    for step, row in enumerate(singles):
        writer.add(step, GRAD_RMS, row)
    for step, row in enumerate(doubles):
        writer.add(step, LOSS, row)
    writer.close()
    np.testing.assert_array_equal(writer.trace()[GRAD_RMS], singles.astype(np.float64))
    np.testing.assert_array_equal(writer.trace()[LOSS], doubles)


@FEW
@given(st.lists(st.tuples(NAMES, st.dictionaries(NAMES, SCALARS, max_size=3)), max_size=5))
def test_names_and_attributes_are_untrusted_text_and_survive(named: list[tuple[str, dict]]) -> None:
    writer = Writer(None, {"script": "".join(name for name, _ in named)})
    sites = tuple(Site("layer", name, attrs) for name, attrs in named)
    writer.add_sites("layer", sites)
    for name, attrs in named:
        writer.event(Event(3, name, attrs))
    writer.close()
    assert writer.trace().of("layer") == sites
    assert writer.trace().events == tuple(Event(3, name, attrs) for name, attrs in named)


def test_nonfinite_and_numpy_attributes_survive() -> None:
    writer = Writer(None, {})
    writer.add_sites("layer", [Site("layer", "a", {"nan": float("nan"), "inf": -np.inf, "n": np.int64(3)})])  # type: ignore[dict-item]
    attrs = writer.trace().of("layer")[0].attrs
    assert attrs["nan"] != attrs["nan"] and attrs["inf"] == -np.inf and attrs["n"] == 3
    writer.close()


def test_the_file_holds_what_the_memory_holds(tmp_path) -> None:
    writers = [Writer(None, {"script": "a.py"}), Writer(tmp_path / "deep" / "er" / "a.db", {"script": "a.py"})]
    for writer in writers:
        writer.add_sites("layer", [Site("layer", "a", {"order": 0})])
        writer.add(0, IN_RMS, np.array([1.0]))
        writer.event(Event(0, "unseen", {"why": "compiled"}))
        writer.set_meta(ended=None, overhead=0.01, compiled=True)
        writer.set_meta(ended="end")
        writer.set_steps(7)
    kept, live = (writer.trace() for writer in writers)
    for writer in writers:
        writer.close()
        writer.close()
    stored = read(tmp_path / "deep" / "er" / "a.db")
    for trace in (kept, live, stored, writers[0].trace(), writers[1].trace()):
        assert trace.steps == 7
        assert trace.of("layer") == (Site("layer", "a", {"order": 0}),)
        assert trace.events == (Event(0, "unseen", {"why": "compiled"}),)
        assert trace[IN_RMS].tolist() == [[1.0]]
        facts = {"script": "a.py", "ended": "end", "overhead": 0.01, "compiled": True, "steps": 7}
        assert {key: value for key, value in trace.meta.items() if key != "path"} == facts
    assert kept.meta["path"] is None
    assert stored.meta["path"] == str(tmp_path / "deep" / "er" / "a.db") == writers[1].trace().meta["path"]


def test_the_record_stays_where_it_was_begun_when_the_script_changes_its_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    writer = Writer("run.db", {})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    writer.set_steps(4)
    writer.close()
    assert writer.trace().steps == 4
    assert writer.trace().meta["path"] == "run.db"
    assert os.listdir(tmp_path / "elsewhere") == []
    assert read(tmp_path / "run.db").steps == 4


def test_sites_found_later_lengthen_readings_and_earlier_ones_are_padded() -> None:
    writer = memory(GRAD_RMS, 1)
    writer.add(0, GRAD_RMS, np.array([1.0]))
    writer.add_sites("parameter", [Site("parameter", "later"), Site("parameter", "last")])
    writer.add(5, GRAD_RMS, np.array([2.0, 3.0, 4.0]))
    writer.add(9, GRAD_RMS, np.array([5.0, 6.0]))
    writer.close()
    nan = np.nan
    np.testing.assert_array_equal(writer.trace()[GRAD_RMS], [[1, nan, nan], [2, 3, 4], [5, 6, nan]])
    assert [site.name for site in writer.trace().of("parameter")] == ["0", "later", "last"]
    assert writer.trace().steps == 10


def test_steps_are_ascending_and_the_same_step_again_overwrites() -> None:
    writer = memory(LEARNING_RATE, 1)
    for step, value in [(4, 0.1), (1, 0.2), (4, 0.3), (2, 0.4)]:
        writer.add(step, LEARNING_RATE, np.array([value]))
    writer.commit()
    writer.add(2, LEARNING_RATE, np.array([0.5]))
    trace = writer.trace()
    assert trace.at(LEARNING_RATE).tolist() == [1, 2, 4]
    assert trace[LEARNING_RATE].tolist() == [[0.2], [0.5], [0.3]]
    writer.close()


def test_a_value_too_large_for_single_precision_stays_finite() -> None:
    writer = memory(GRAD_RMS, 3)
    writer.add(0, GRAD_RMS, np.array([1e300, -np.inf, -1e300]))
    largest = float(np.finfo(np.float32).max)
    assert writer.trace()[GRAD_RMS].tolist() == [[largest, -np.inf, -largest]]
    writer.close()


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((1, 2)), np.float64(1.0)])
def test_a_reading_that_fits_no_sites_is_refused(values: np.ndarray) -> None:
    writer = memory(GRAD_RMS, 2)
    with pytest.raises(ValueError, match="grad_rms at step 8"):
        writer.add(8, GRAD_RMS, values)
    assert len(writer.trace().at(GRAD_RMS)) == 0
    writer.close()


def test_a_closed_record_refuses_more() -> None:
    writer = memory(GRAD_RMS, 1)
    writer.close()
    writer.commit()
    with pytest.raises(ValueError, match="closed"):
        writer.add(0, GRAD_RMS, np.zeros(1))


def test_an_empty_record_is_a_trace_without_readings(tmp_path) -> None:
    Writer(tmp_path / "a.db", {}).close()
    trace = read(tmp_path / "a.db")
    assert (trace.steps, trace.sites, trace.series, trace.events) == (0, {}, {}, ())
    assert trace[GRAD_RMS].shape == (0, 0)


def test_a_large_record_comes_back_whole(tmp_path) -> None:
    writer = Writer(tmp_path / "a.db", {})
    writer.add_sites("parameter", [Site("parameter", f"p{i}") for i in range(1000)])
    values = np.random.default_rng(0).random((2000, 1000), dtype=np.float32)
    for step, row in enumerate(values):
        writer.add(step, GRAD_RMS, row)
    writer.close()
    np.testing.assert_array_equal(read(tmp_path / "a.db")[GRAD_RMS], values)
