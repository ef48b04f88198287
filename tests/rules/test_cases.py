"""Cases that came up in use: each was once judged wrongly."""

from __future__ import annotations

import numpy as np

from trimtab.core.finding import Severity
from trimtab.core.signal import (
    FEATURE_MEAN,
    FEATURE_NONFINITE,
    FEATURE_SD,
    GRAD_RMS,
    LEARNING_RATE,
    LOSS,
    SURPRISE,
    UPDATE_RMS,
    WEIGHT_RMS,
)
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Site, Trace
from trimtab.pipeline import diagnose
from trimtab.remedies import prescribe


def weights(n: int = 2) -> list[Site]:
    return [Site("parameter", f"{i}.weight", {"role": "weight", "layer": str(i)}) for i in range(n)]


def codes(trace: Trace) -> list[str]:
    return [("*" if f.root else "") + f.code for f in diagnose(trace).findings]


def test_what_was_learned_and_is_lost_again_is_a_diverging_loss() -> None:
    loss = np.concatenate([np.geomspace(2.3, 0.03, 150), np.full(430, 2.4)])
    (finding,) = diagnose(synthetic_trace({"loss": ["late.py:9"]}, {LOSS: loss})).findings
    assert finding.code == "TT602" and 145 <= finding.since_step <= 155


def test_a_loss_that_rises_a_little_from_its_lowest_point_is_healthy() -> None:
    loss = np.concatenate([np.geomspace(2.3, 0.03, 150), np.linspace(0.03, 0.3, 430)])
    assert codes(synthetic_trace({"loss": ["a.py:9"]}, {LOSS: loss})) == []


def test_weights_that_went_nowhere_cannot_have_lowered_the_loss() -> None:
    rng = np.random.default_rng(0)
    loss = 2.3 + 0.4 * rng.standard_normal(80)
    loss[-8:] -= 0.5  # luck of the last batches
    scale = np.full((80, 2), 0.05)
    trace = synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"], "optimizer": ["SGD"]},
        {UPDATE_RMS: scale * 2e-8, WEIGHT_RMS: scale, LOSS: loss, LEARNING_RATE: np.full(80, 1e-8)},
    )
    assert codes(trace) == ["*TT402"]


def test_a_nan_loss_behind_a_nan_gradient_is_its_symptom() -> None:
    event = Event(1, "first-nonfinite", {"phase": "weights", "parameter": "0.weight", "line": "a.py:9", "loss": "NaN"})
    trace = synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"]},
        {GRAD_RMS: [[np.inf, np.inf]] * 3, LOSS: [0.4, np.inf, np.inf]},
        events=[event],
    )
    assert codes(trace) == ["*TT303", "TT601"]


def test_a_feature_that_is_nan_on_every_row_is_no_reason_to_drop_all_rows() -> None:
    sites = [Site("feature", f"0 input {i}", {"input": "0", "index": i, "op": "linear"}) for i in range(2)]
    trace = synthetic_trace({"feature": sites, "loss": ["a.py:9"]}, {FEATURE_NONFINITE: [[0, 1.0]], LOSS: [np.inf]})
    root = diagnose(trace).findings[0]
    assert root.code == "TT103"
    assert ".clip(1e-8)" in prescribe(root, trace)[0].code


def test_a_start_that_the_first_step_blew_up_is_not_the_start() -> None:
    loss = [2.99, 4.41, 5.13, *np.linspace(5, 3.4, 60)]
    scale = np.full((63, 2), 0.05)
    trace = synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"]}, {UPDATE_RMS: scale * 0.5, WEIGHT_RMS: scale, LOSS: loss}
    )
    (finding,) = diagnose(trace).findings
    assert finding.code == "TT401" and finding.evidence["loss_start"] == 2.99


def test_steps_that_change_nothing_are_told_after_a_few() -> None:
    trace = synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"], "optimizer": ["SGD"]},
        {
            LOSS: np.full(8, 2.3),
            GRAD_RMS: np.full((8, 2), 0.1),
            UPDATE_RMS: np.zeros((8, 2)),
            WEIGHT_RMS: np.full((8, 2), 0.5),
            LEARNING_RATE: np.zeros(8),
        },
    )
    assert codes(trace) == ["*TT402"]
    assert codes(trace.until(3)) == []


def test_a_first_loss_far_above_guessing_is_a_note_in_a_short_run_only() -> None:
    objective = Site("objective", "cross_entropy", {"compares": "cross_entropy", "classes": 10, "line": "a.py:9"})
    loss = np.geomspace(23.0, 2.0, 60)
    trace = synthetic_trace({"objective": [objective], "loss": ["a.py:9"]}, {LOSS: loss, SURPRISE: loss})
    assert [(f.code, f.severity) for f in diagnose(trace.until(20)).findings] == [("TT201", Severity.NOTE)]
    assert diagnose(trace.until(20)).status == "healthy"
    assert codes(trace) == []


def readings(share_off: float, size: float, steps: int = 400, undone: float = 1.4) -> np.ndarray:
    """A loss that falls to a third, with steps that hold an example far off, and what each of them undoes."""
    rng = np.random.default_rng(0)
    loss = np.geomspace(1.0, 0.3, steps) * np.exp(0.3 * rng.standard_normal(steps))
    regular = np.arange(10, steps - 10, round(1 / share_off))
    for place in regular + rng.integers(0, 6, len(regular)):
        loss[place + 1 : place + 9] *= undone
        loss[place] *= size
    return loss


def test_a_few_targets_far_off_make_up_the_loss_and_lead() -> None:
    rates = {UPDATE_RMS: np.full((400, 2), 0.02), WEIGHT_RMS: np.full((400, 2), 0.05)}
    trace = synthetic_trace({"parameter": weights(), "loss": ["a.py:9"]}, {LOSS: 3 * readings(0.05, 400.0), **rates})
    findings = diagnose(trace).findings
    assert findings[0].code == "TT304" and "19 of 400 steps carry" in findings[0].message
    assert not any(f.root for f in findings[1:])
    remedies = [p.remedy.name for p in prescribe(findings[0], trace)]
    assert "clip-by-norm" in remedies


def test_rare_large_losses_that_undo_nothing_are_what_the_task_has() -> None:
    assert codes(synthetic_trace({"loss": ["a.py:9"]}, {LOSS: readings(0.05, 400.0, undone=1.0)})) == []


def test_a_loss_with_a_heavy_tail_has_no_outliers() -> None:
    assert codes(synthetic_trace({"loss": ["a.py:9"]}, {LOSS: readings(0.05, 30.0)})) == []


def test_a_step_too_far_is_no_outlier_as_it_takes_several_to_mend() -> None:
    loss = readings(0.02, 1.0)
    for start in range(40, 360, 40):
        loss[start : start + 6] *= np.geomspace(400, 2, 6)
    assert not any("carry" in f.message for f in diagnose(synthetic_trace({"loss": ["a.py:9"]}, {LOSS: loss})).findings)


def crawling(slowest: float, loss: np.ndarray) -> Trace:
    """Two weights under plain SGD, of which one moves by `slowest` of its size at each step."""
    shape = (len(loss), 2)
    optimizer = Site("optimizer", "SGD", {"line": "a.py:5"})
    return synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"], "optimizer": [optimizer]},
        {
            UPDATE_RMS: np.broadcast_to([slowest, 0.01], shape),
            WEIGHT_RMS: np.ones(shape),
            GRAD_RMS: np.broadcast_to([50 * slowest, 0.5], shape),
            LOSS: loss,
        },
    )


def test_a_weight_that_crawls_beside_one_that_moves_is_told() -> None:
    loss = np.linspace(1.8, 1.65, 200)
    (finding,) = diagnose(crawling(2e-5, loss)).findings
    assert finding.code == "TT306" and "moves 1.weight by 0.01 of its size and 0.weight by 2e-05" in finding.message
    assert codes(crawling(6e-4, loss)) == []
    assert codes(crawling(2e-5, np.geomspace(1.8, 0.1, 200))) == []


def test_a_backbone_with_a_rate_of_its_own_may_crawl() -> None:
    shape = (200, 2)
    trace = synthetic_trace(
        {"parameter": weights(), "loss": ["a.py:9"], "optimizer": ["SGD"]},
        {
            UPDATE_RMS: np.broadcast_to([2e-5, 0.01], shape),
            WEIGHT_RMS: np.ones(shape),
            GRAD_RMS: np.full(shape, 0.5),
            LOSS: np.linspace(1.8, 1.65, 200),
        },
    )
    assert codes(trace) == []


def test_an_objective_that_stands_while_another_brings_the_loss_down() -> None:
    loss = np.geomspace(2900, 90, 200)
    trace = crawling(2e-5, loss)
    stands = synthetic_trace(
        {
            "parameter": weights(),
            "loss": ["a.py:9"],
            "optimizer": ["SGD"],
            "objective": [Site("objective", "mse at a.py:9", {}), Site("objective", "read", {"classes": 10})],
        },
        {
            **{signal: trace[signal] for signal in (UPDATE_RMS, WEIGHT_RMS, GRAD_RMS, LOSS)},
            SURPRISE: np.column_stack([np.full(200, np.nan), np.full(200, 2.3)]),
        },
    )
    (finding,) = diagnose(stands).findings
    assert finding.code == "TT306" and "read has learned nothing" in finding.message


def test_columns_of_very_different_spread_under_one_rate() -> None:
    loss = np.linspace(0.7, 0.5, 100)

    def trace(sds: list[float]) -> Trace:
        features = [Site("feature", f"0 input {i}", {"input": "0", "index": i}) for i in range(len(sds))]
        return synthetic_trace(
            {"feature": features, "loss": ["a.py:9"], "optimizer": ["SGD"]},
            {FEATURE_MEAN: [[0.0] * len(sds)] * 2, FEATURE_SD: [sds] * 2, LOSS: loss},
        )

    assert codes(trace([0.05, 0.08, 0.05, 5.0, 4.0, 1.0])) == ["*TT101"]
    assert codes(trace([0.1, 0.08, 0.3, 1.0, 2.0, 1.0])) == []
