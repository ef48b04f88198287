from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.signal import (
    DELTA_NORM,
    GRAD_RMS,
    GRAD_USED_RMS,
    GRADIENT_DOT,
    GRADIENT_POWER,
    IN_RMS,
    IN_SPREAD,
    LEARNING_RATE,
    LOSS,
    TARGET_COUNT,
    UPDATE_RMS,
    WEIGHT_RMS,
    SiteKind,
)
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Site, Trace
from trimtab.report.figures import (
    activation_scale,
    backward_gain,
    charts,
    gradient_map,
    gradient_norm,
    learning_rate,
    loss_curve,
    lost_units,
    noise_scale,
    thin,
    update_ratio,
)
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
    assert len(made) == (8 if broken_from != 0 else 5)
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


def test_the_looks_are_marked_under_the_loss() -> None:
    trace = synthetic_trace(
        {"loss": ["l"], "layer": layers(0)}, {LOSS: np.linspace(2, 1, 50), IN_RMS: ([0, 1, 2, 40], [1.0] * 4)}
    )
    chart = loss_curve.chart(trace)
    assert chart is not None
    assert chart.figure.looks == [0, 1, 2, 40]  # type: ignore[attr-defined]
    assert "looked at" in chart.caption


def test_the_gradient_norm_is_over_all_parameters_before_and_after_clipping() -> None:
    sites = [Site("parameter", "w", {"numel": 9}), Site("parameter", "b", {"numel": 16})]
    raw = np.ones((4, 2))
    trace = synthetic_trace({"parameter": sites}, {GRAD_RMS: raw, GRAD_USED_RMS: 0.2 * raw})
    chart = gradient_norm.chart(trace)
    assert chart is not None
    before, after = chart.figure.rows  # type: ignore[attr-defined]
    assert (before["norm"], after["norm"]) == ([5] * 4, [1] * 4)
    assert "100 % of the looks, to 0.2 of it" in chart.caption
    same = gradient_norm.chart(synthetic_trace({"parameter": sites}, {GRAD_RMS: raw, GRAD_USED_RMS: raw}))
    assert same is not None
    assert len(same.figure.rows) == 1  # type: ignore[attr-defined]


def test_the_activation_scale_is_that_of_the_first_look_and_of_the_last() -> None:
    trace = synthetic_trace({"layer": layers(0, 1)}, {IN_SPREAD: [[1.0, np.nan], [0.5, 4.0], [0.25, 0.0]]})
    chart = activation_scale.chart(trace)
    assert chart is not None
    first, second = chart.figure.rows  # type: ignore[attr-defined]
    assert (first["first"], first["last"]) == (1, 0.25)
    assert (second["first"], second["last"]) == (4, 1e-30)
    assert chart.figure.domain[0] >= 1e-24  # type: ignore[attr-defined]


def test_the_noise_scale_is_the_batch_times_what_successive_gradients_disagree_by() -> None:
    n, agree, batch = 40, 0.2, 32
    trace = synthetic_trace(
        {"run": ["run"], "objective": ["o"]},
        {
            GRADIENT_POWER: np.full(n, 2.0),
            GRADIENT_DOT: (np.arange(1, n), np.full(n - 1, 2.0 * agree)),
            TARGET_COUNT: np.full(n, float(batch)),
        },
    )
    chart = noise_scale.chart(trace)
    assert chart is not None
    assert chart.figure.row["noise"] == pytest.approx([batch * (1 / agree - 1)] * 35)  # type: ignore[attr-defined]
    opposed = synthetic_trace(
        {"run": ["run"], "objective": ["o"]},
        {
            GRADIENT_POWER: np.full(n, 2.0),
            GRADIENT_DOT: (np.arange(1, n), np.full(n - 1, -1.0)),
            TARGET_COUNT: np.full(n, 32.0),
        },
    )
    assert noise_scale.chart(opposed) is None


def test_the_learning_rate_is_that_of_each_optimizer() -> None:
    rates = np.array([[0.1, np.nan], [0.1, 1e-3], [1e-4, 1e-3]])
    chart = learning_rate.chart(synthetic_trace({"optimizer": ["SGD", "Adam"]}, {LEARNING_RATE: rates}))
    assert chart is not None
    assert [row["rate"] for row in chart.figure.rows] == [[0.1, 0.1, 1e-4], [1e-3, 1e-3]]  # type: ignore[attr-defined]
    assert chart.figure.span == (1e-4, 0.1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("rate", "domain"), [(0.1, [0, 0.2]), (0.0, [-1, 1])])
def test_a_level_curve_has_its_value_at_the_axis(rate: float, domain: list[float]) -> None:
    rates = np.full((3, 1), rate)
    chart = learning_rate.chart(synthetic_trace({"optimizer": ["SGD"]}, {LEARNING_RATE: rates}))
    assert chart is not None
    axis = chart.figure.spec()["encoding"]["y"]
    assert (axis["axis"]["values"], axis["scale"]["domain"]) == ([rate], domain)


def test_what_belongs_to_a_layer_knows_its_place_in_every_chart(make_training: Training) -> None:
    trace = make_training(layers=3)
    for module in (gradient_map, backward_gain, activation_scale, lost_units, update_ratio):
        chart = module.chart(trace)
        assert chart is not None
        found = {row["place"] for row in chart.figure.rows}  # type: ignore[attr-defined]
        assert found == ({0, 1} if module is backward_gain else {0, 1, 2})
        assert chart.figure.spec()["params"][0] == {"name": "layer", "value": -1}


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


def test_an_axis_of_one_value_names_it() -> None:
    """Left to itself Vega writes 0 at a constant learning rate of 0.1."""
    import vl_convert

    sites: dict[SiteKind, list[str | Site]] = {"optimizer": ["SGD"], "loss": ["l"]}
    constant = synthetic_trace(sites, {LEARNING_RATE: np.full((5, 1), 0.1), LOSS: [5.85, np.nan, np.nan, np.nan, 5.85]})
    for module, label in ((learning_rate, "0.1"), (loss_curve, "5.85")):
        assert f">{label}</text>" in vl_convert.vegalite_to_svg(drawn(module.chart(constant)))


def test_a_loss_that_was_finite_once_is_a_point() -> None:
    once = synthetic_trace({"loss": ["l"]}, {LOSS: [5.85, np.nan, np.nan]})
    assert drawn(loss_curve.chart(once))["layer"][-1]["mark"]["point"] is True


@pytest.mark.parametrize("exponents", [(0.0, 0.3), (-1.2, 0.4), (-9.5, 0.5), (0.0, 0.0)])
def test_the_legend_of_the_gradient_map_names_whole_decades_once(exponents: tuple[float, float]) -> None:
    sites: dict[SiteKind, list[str | Site]] = {"layer": [*layers(1, 2)]}
    norms = np.tile(10.0 ** np.array(exponents), (4, 1))
    color = drawn(gradient_map.chart(synthetic_trace(sites, {DELTA_NORM: norms})))["layer"][0]["encoding"]["color"]
    ticks = color["legend"]["values"]
    assert ticks == sorted({int(tick) for tick in ticks}) and 1 <= len(ticks) <= 5
    assert color["scale"]["domain"][0] <= ticks[0] and ticks[-1] <= color["scale"]["domain"][1]
