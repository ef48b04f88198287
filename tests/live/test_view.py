"""The view fits its room, says what matters first, and lets nothing of a script's names through to the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.text import Text

from tests.live.conftest import training
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Trace
from trimtab.live.following import Snapshot, State
from trimtab.live.view import in_a_line, lines, waiting
from trimtab.pipeline import diagnose

HOSTILE = "net\x1b[2J\x1b]0;owned\x07[bold]\u202e{}"


def seen(trace: Trace, state: State = "running", seconds: float | None = 3725.0) -> Snapshot:
    return Snapshot(trace, diagnose(trace), state, seconds)


def plain(shown: list[Text]) -> list[str]:
    return [line.plain.rstrip() for line in shown]


def test_all_that_a_user_looks_for_is_there() -> None:
    shown = plain(lines(seen(training()), 80, 24))
    assert shown[0].startswith("── trimtab train.py ─") and shown[0].endswith(" running 1:02:05")
    assert shown[1].split("   ")[0] == "step 60"
    assert shown[1].endswith("learning rate 0.01")
    assert shown[2].startswith("loss      █") and shown[2].endswith("2.3 → 0.86")
    assert shown[3].endswith(" 1.0e-06") and shown[8].endswith(" 1.0e-01")
    assert shown[9].startswith("SICK      TT301 vanishing-gradient  since step 0")


def test_with_little_room_the_layers_share_a_line_and_the_root_cause_stays() -> None:
    shown = plain(lines(seen(training()), 80, 5))
    assert len(shown) == 5
    assert shown[3] == "gradient  first ▁▁▂▂▄▄▅▅▇▇██ last  1.0e-06 → 1.0e-01"
    assert shown[4].startswith("SICK      TT301")


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("height", [1, 4, 8, 24, 60])
@pytest.mark.parametrize("layers", [0, 1, 6, 300])
def test_it_fits(width: int, height: int, layers: int) -> None:
    for state in ("running", "killed"):
        shown = lines(seen(training(layers, name="模型.block{}.attention.output"), state), width, height)  # type: ignore[arg-type]
        assert len(shown) <= height
        assert max(line.cell_len for line in shown) <= width


def test_without_utf_8_it_is_ascii() -> None:
    shown = plain(lines(seen(training(name="Schlüssel{}")), 80, 24, ascii_only=True))
    assert all(line.isascii() for line in shown)
    assert shown[2].startswith("loss      @") and "2.3 -> 0.86" in shown[2]
    assert "Schl?ssel0" in shown[3]


def test_names_of_the_script_are_shown_and_not_obeyed() -> None:
    trace = training(name=HOSTILE)
    trace = replace(trace, meta={**trace.meta, "script": HOSTILE, "ended": HOSTILE})
    for height in (5, 24):
        text = "".join(plain(lines(seen(trace, "ended"), 80, height)))
        assert text.isprintable()
    assert in_a_line(seen(trace, "ended")).isprintable()
    assert "".join(plain(waiting(HOSTILE, "why", 80, 4))).isprintable()


def test_what_is_not_finite_is_marked() -> None:
    trace = training()
    for series in trace.series.values():
        series.values[-1] = float("inf")
    shown = lines(seen(trace), 80, 24)
    assert "×" in shown[2].plain
    assert shown[3].plain.rstrip().endswith("Inf")


@pytest.mark.parametrize(
    ("state", "ended", "words"),
    [
        ("ended", "end", "ended"),
        ("ended", "exception", "the script raised"),
        ("ended", "interrupt", "interrupted"),
        ("killed", None, "the run was killed"),
    ],
)
def test_how_the_run_ended(state: State, ended: str | None, words: str) -> None:
    run = seen(training(ended=ended), state, None)
    assert plain(lines(run, 80, 24))[0].endswith(f"─ {words}")
    assert in_a_line(run).endswith(f"  {words}")


def test_a_run_that_has_not_trained_yet() -> None:
    run = seen(synthetic_trace({}, {}), seconds=None)
    assert "no training seen yet" in plain(lines(run, 80, 24))[2]
    assert in_a_line(run) == "step 0  no training seen yet"
