from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.signal import DELTA_NORM, LOSS, UPDATE_RMS, WEIGHT_RMS, SiteKind
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Site, Trace
from trimtab.report.figures import backward_gain, charts, gradient_map, loss_curve, lost_units, thin, update_ratio
from trimtab.report.figures.broken import broken
from trimtab.report.figures.canvas import powers_of_ten

Training = Callable[..., Trace]


def layers(*depths: int) -> list[Site]:
    return [Site("layer", f"l{i}", {"order": i, "depth": depth}) for i, depth in enumerate(depths)]


def drawn(chart) -> dict:
    assert chart is not None
    return chart.figure.spec()


def test_a_chart_without_data_is_left_out() -> None:
    assert charts(synthetic_trace({}, {})) == []
    only_loss = synthetic_trace({"loss": ["l"]}, {LOSS: [3.0, 2.0, 1.0]})
    assert [chart.title for chart in charts(only_loss)] == ["Loss"]


@pytest.mark.parametrize("broken_from", [None, 40, 0])
def test_every_specification_is_valid_and_renders(make_training: Training, broken_from: int | None) -> None:
    import altair
    import vl_convert

    made = charts(make_training(broken_from=broken_from))
    assert len(made) == (5 if broken_from != 0 else 3)
    for chart in made:
        spec = chart.figure.spec()
        altair.Chart.from_dict(spec).to_dict(validate=True)
        assert spec["width"] == "container"
        assert vl_convert.vegalite_to_svg(spec).startswith("<svg")


def test_the_moving_average_is_free_of_its_start() -> None:
    assert loss_curve.moving_average(np.full(50, 3.0), 0.9) == pytest.approx(np.full(50, 3.0))
    s1, s2 = 0.1 * 4, 0.9 * 0.1 * 4 + 0.1 * 2
    assert loss_curve.moving_average(np.array([4.0, 2.0]), 0.9) == pytest.approx([s1 / 0.1, s2 / (1 - 0.81)])


def test_the_moving_average_steps_over_what_is_not_a_number() -> None:
    with_gap = loss_curve.moving_average(np.array([4.0, np.nan, np.inf, 2.0]), 0.9)
    assert np.isnan(with_gap[1:3]).all()
    assert with_gap[3] == pytest.approx(loss_curve.moving_average(np.array([4.0, 2.0]), 0.9)[1])


def test_losses_that_are_not_finite_are_marked_where_they_are() -> None:
    trace = synthetic_trace({"loss": ["l"]}, {LOSS: [2.0, np.inf, 1.0, np.nan, np.nan]})
    chart = loss_curve.chart(trace)
    assert chart is not None
    assert [mark["step"] for mark in chart.figure.marks] == [1, 3, 4]  # type: ignore[attr-defined]
    assert "NaN or Inf" in chart.caption


def test_not_measured_is_not_broken() -> None:
    alternating = np.array([[1.0, np.nan], [np.nan, 1.0], [1.0, np.nan], [np.nan, np.nan]])
    sites: dict[SiteKind, list[Site]] = {"layer": layers(0, 1)}
    assert broken(synthetic_trace(sites, {DELTA_NORM: alternating}), DELTA_NORM).tolist() == [
        [False, False],
        [False, False],
        [False, False],
        [True, True],
    ]
    known = synthetic_trace(sites, {DELTA_NORM: alternating[:3]}, events=[Event(1, "first-nonfinite", {})])
    assert broken(known, DELTA_NORM).tolist() == [[False, False], [False, False], [False, True]]


def test_the_gradient_map_stands_in_execution_order_and_shows_zero_and_nan() -> None:
    sites = [Site("layer", "last", {"order": 1}), Site("layer", "first", {"order": 0})]
    trace = synthetic_trace({"layer": sites}, {DELTA_NORM: [[1.0, 0.0], [10.0, 1e-3], [np.nan, np.nan]]})
    chart = gradient_map.chart(trace)
    assert chart is not None
    first, last = chart.figure.rows  # type: ignore[attr-defined]
    assert (first["name"], last["name"]) == ("first", "last")
    assert first["log"] == [-46, -3, "NaN or Inf"]
    assert last["log"] == [0, 1, "NaN or Inf"]


def test_the_gain_is_the_median_ratio_to_the_next_layer() -> None:
    trace = synthetic_trace(
        {"layer": layers(0, 1, 2)}, {DELTA_NORM: [[1.0, 2.0, 8.0], [1.0, 2.0, 8.0], [3.0, 2.0, 8.0]]}
    )
    chart = backward_gain.chart(trace)
    assert chart is not None
    assert [row["gain"] for row in chart.figure.rows] == [0.5, 0.25]  # type: ignore[attr-defined]


def test_the_gain_does_not_reach_from_one_model_into_the_next() -> None:
    trace = synthetic_trace({"layer": layers(0, 1, 0, 1)}, {DELTA_NORM: [[1.0, 2.0, 4.0, 8.0]]})
    chart = backward_gain.chart(trace)
    assert chart is not None
    assert [row["layer"] for row in chart.figure.rows] == ["l0", "l2"]  # type: ignore[attr-defined]


def test_dead_and_saturated_say_which(make_training: Training) -> None:
    chart = lost_units.chart(make_training(layers=2))
    assert chart is not None
    assert [(row["name"], row["kind"]) for row in chart.figure.rows] == [  # type: ignore[attr-defined]
        ("net.0.act", "saturated"),
        ("net.2.act", "dead"),
    ]


def test_the_update_ratio_is_that_of_weights_at_common_steps() -> None:
    sites = [Site("parameter", "w", {"role": "weight"}), Site("parameter", "b", {"role": "bias"})]
    trace = synthetic_trace(
        {"parameter": sites},
        {UPDATE_RMS: ([0, 5], [[1e-3, 1.0], [2e-3, 1.0]]), WEIGHT_RMS: ([5, 6], [[0.5, 0.0], [0.5, 0.0]])},
    )
    chart = update_ratio.chart(trace)
    assert chart is not None
    (row,) = chart.figure.rows  # type: ignore[attr-defined]
    assert (row["name"], row["step"], row["ratio"]) == ("w", [5], [4e-3])


@given(st.integers(1, 500), st.integers(2, 60), st.data())
def test_thinning_keeps_the_ends_and_what_stands_out(rows: int, most: int, data: st.DataObject) -> None:
    peak = data.draw(st.integers(0, rows - 1))
    values = np.zeros((rows, 3))
    values[peak, 1] = data.draw(st.sampled_from([5.0, -5.0, np.inf]))
    kept = thin.striking_rows(values, most)
    assert kept == sorted(set(kept))
    assert len(kept) <= most
    assert {0, rows - 1} <= set(kept)
    if rows // most * 2 < peak < rows - 1 - rows // most * 2:
        assert peak in kept


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=600))
def test_a_thinned_line_keeps_its_extremes_and_ends(values: list[float]) -> None:
    line = np.array(values)
    kept = thin.striking_points(line, 50)
    assert len(kept) <= 50
    assert {0, len(line) - 1} <= set(kept)
    assert line[kept].min() == line.min()
    assert line[kept].max() == line.max()


@given(st.floats(1e-12, 1e6), st.floats(1, 1e12))
def test_the_decades_of_an_axis_hold_its_values(low: float, ratio: float) -> None:
    (bottom, top), powers = powers_of_ten(low, low * ratio)
    assert bottom <= low * 1.0000001
    assert low * ratio <= top * 1.0000001
    assert 1 < len(powers) <= 7
