"""Looks are dense at the start, then as frequent as the budget allows; by a clock of the test's own."""

from __future__ import annotations

import pytest

from trimtab.watching import pace as pace_module
from trimtab.watching.pace import DENSE, Pace


class Clock:
    """Time that passes only where the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace_module, "time", clock)
    return clock


def train(pace: Pace, clock: Clock, steps: int, step: float, look: float, fixed: float = 0.0) -> list[bool]:
    """Seconds of a step, of a look, and of what every step costs; returns which steps were looked at."""
    looked, looking = [], True
    pace.begin()
    for done in range(1, steps + 1):
        cost = fixed + (look if looking else 0.0)
        clock.now += step + cost
        pace.spent += cost
        looked.append(looking)
        looking = pace.after_step(done, looking) if looking or done >= pace.again else False  # as the watcher asks
    return looked


def test_the_first_steps_are_all_looked_at(clock: Clock) -> None:
    looked = train(Pace(0.0), clock, steps=200, step=0.01, look=0.1)
    assert looked[:DENSE] == [True] * DENSE
    assert sum(looked[DENSE:]) == 2  # and then only where the number of steps has doubled


def test_however_dear_looks_go_on(clock: Clock) -> None:
    looked = train(Pace(0.001), clock, steps=3000, step=0.0005, look=0.1, fixed=0.0001)
    at = [step for step, look in enumerate(looked, 1) if look]
    assert all(b <= 2.1 * a for a, b in zip(at[DENSE:], at[DENSE + 1 :], strict=False))
    assert at[-1] > 1500


@pytest.mark.parametrize("budget", [0.01, 0.03, 0.2])
@pytest.mark.parametrize(("step", "look"), [(0.003, 0.004), (0.1, 0.02), (0.1, 1.0)])
def test_beyond_them_the_cost_stays_within_the_budget(clock: Clock, budget: float, step: float, look: float) -> None:
    pace = Pace(budget)
    looked = train(pace, clock, steps=20_000, step=step, look=look, fixed=step * 0.001)
    beyond = looked[DENSE:]
    spent = sum(beyond) * look + len(beyond) * step * 0.001
    within = budget * (len(beyond) * step + spent)
    least = 10 * look  # looks at steps that double, from 30 to 20,000
    assert spent <= max(within, least + len(beyond) * step * 0.001)
    assert sum(beyond) > 0
    assert pace.overhead == pytest.approx(spent / (len(beyond) * step), rel=0.05)


def test_looks_go_on_to_the_end_of_a_long_run(clock: Clock) -> None:
    looked = train(Pace(0.03), clock, steps=10_000, step=0.01, look=0.02)
    assert all(any(looked[i : i + 1000]) for i in range(0, 10_000, 1000))


def test_a_dense_start_that_cost_much_is_paid_for_slowly(clock: Clock) -> None:
    dear, cheap = Pace(0.03), Pace(0.03)
    train(dear, clock, steps=DENSE, step=0.01, look=0.1)
    train(cheap, clock, steps=DENSE, step=0.01, look=0.0001)
    after = {}
    for name, pace in (("dear", dear), ("cheap", cheap)):
        looks = 0
        pace._last_look = 10**9  # leaves the looks that come in any case out of it
        for done in range(DENSE, DENSE + 3000):
            clock.now += 0.01
            if pace.after_step(done, False):
                pace.spent += 0.002
                looks += 1
        after[name] = looks
    assert 0 < after["dear"] < after["cheap"]


def test_overhead_of_a_short_run_is_that_of_its_dense_start(clock: Clock) -> None:
    pace = Pace(0.03)
    train(pace, clock, steps=10, step=0.01, look=0.005)
    assert pace.overhead == pytest.approx(0.5)
    assert pace.dense_seconds == pytest.approx(0.05)
