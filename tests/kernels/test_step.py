from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trimtab.kernels.step import StepOptions, StepTable
from trimtab.optim.averaging import observe_
from trimtab.optim.tensor_step import descend_
from trimtab.optim.update import Scale, Update, Velocity

TINY = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
STATE = {"velocity": "velocity", "square": "square", "mean": "mean", "largest": "largest"}


@dataclass
class Run:
    """Parameters with their gradients of three steps, and the memory that an update asks for."""

    params: list[Tensor]
    grads: list[list[Tensor]]
    memory: dict[Any, list[Tensor]] = field(default_factory=dict)
    table: StepTable = field(default_factory=StepTable)

    def step(self, options: StepOptions, t: int = 0) -> None:
        assert self.table.take(self.params, self.grads[t], self.memory)
        self.table.step(options)


def run(sizes: list[int], dtype: torch.dtype, names: tuple[str, ...], steps: int = 3, seed: int = 0) -> Run:
    draw = torch.Generator().manual_seed(seed)
    new = Run(
        [torch.randn(n, generator=draw, dtype=torch.float64).to(dtype) for n in sizes],
        [[torch.randn(n, generator=draw, dtype=torch.float64).to(dtype) for n in sizes] for _ in range(steps)],
    )
    working = torch.float64 if dtype == torch.float64 else torch.float32
    new.memory = {name: [torch.zeros(n, dtype=working) for n in sizes] for name in names}
    if "step" in names:
        new.memory["step"] = [torch.zeros(()) for _ in sizes]
    if "average" in names:
        new.memory["average_step"] = [torch.zeros((), dtype=torch.int64) for _ in sizes]
    return new


def close(actual: Tensor, expected: Tensor | np.ndarray, dtype: torch.dtype) -> None:
    wide = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(actual.double(), wide, rtol=TINY[dtype], atol=TINY[dtype] / 10, equal_nan=True)


class TestAgainstTheFormula:
    """The methods of the textbook in float64, on one tensor."""

    @pytest.mark.parametrize("dtype", list(TINY))
    @pytest.mark.parametrize("inside", [False, True])
    @pytest.mark.parametrize("corrected", [False, True])
    def test_adam(self, dtype: torch.dtype, inside: bool, corrected: bool) -> None:
        one = run([1001], dtype, ("velocity", "square", "step"))
        w = one.params[0].double().numpy().copy()
        v, s = np.zeros(1001), np.zeros(1001)
        options = StepOptions(
            0.1, beta1=0.9, beta2=0.99, eps=1e-3, eps_inside=inside, correct_velocity=corrected, correct_scale=corrected
        )
        for t in range(3):
            g = one.grads[t][0].double().numpy()
            v, s = 0.9 * v + 0.1 * g, 0.99 * s + 0.01 * g**2
            v_hat, s_hat = (v / (1 - 0.9 ** (t + 1)), s / (1 - 0.99 ** (t + 1))) if corrected else (v, s)
            w -= 0.1 * v_hat / (np.sqrt(s_hat + 1e-3) if inside else np.sqrt(s_hat) + 1e-3)
            one.step(options, t)
        close(one.params[0], w, dtype)
        close(one.memory["velocity"][0], v, torch.float32)
        close(one.memory["square"][0], s, torch.float32)
        assert one.memory["step"][0].item() == 3

    @pytest.mark.parametrize("dtype", list(TINY))
    def test_gradient_descent_clipped_decayed_and_averaged(self, dtype: torch.dtype) -> None:
        one = run([777], dtype, ("average",))
        w, a = one.params[0].double().numpy().copy(), np.zeros(777)
        for t, gain in enumerate((1.0, 0.5, 0.25)):
            g = np.clip(one.grads[t][0].double().numpy() * 0.5, -0.75, 0.75)
            w = w * (1 - 0.1 * 0.01) - 0.1 * g
            one.step(StepOptions(0.1, weight_decay=0.01, decoupled=True, factor=0.5, bound=0.75, gain=gain), t)
            w = one.params[0].double().numpy().copy() if dtype.itemsize == 2 else w  # as it is kept
            a = a + gain * (w - a)
            close(one.params[0], w, dtype)
        close(one.memory["average"][0], a, torch.float32)
        assert one.memory["average_step"][0].item() == 3

    def test_momentum_as_torch_sums_it(self) -> None:
        one = run([100], torch.float64, ("velocity",))
        w, b = one.params[0].numpy().copy(), np.zeros(100)
        for t in range(3):
            g = one.grads[t][0].numpy() + 0.02 * w
            b = 0.9 * b + (1 - 0.3) * g if t else g
            w = w - 0.1 * (g + 0.9 * b)
            one.step(
                StepOptions(
                    0.1, velocity="sum", beta1=0.9, dampening=0.3, nesterov=True, weight_decay=0.02, begun=[int(t > 0)]
                ),
                t,
            )
        close(one.params[0], w, torch.float64)


VELOCITIES = st.none() | st.builds(
    Velocity,
    beta=st.sampled_from([0.0, 0.4, 0.9]),
    form=st.just("ema"),
    corrected=st.booleans(),
    nesterov=st.booleans(),
    of_scaled=st.just(False),
)
SUMS = st.builds(
    Velocity, beta=st.just(0.9), form=st.just("torch"), nesterov=st.booleans(), dampening=st.sampled_from([0.0, 0.5])
)
SCALED_SUMS = st.builds(Velocity, beta=st.just(0.8), form=st.just("torch"), of_scaled=st.just(True))
SCALES = (
    st.builds(
        Scale,
        beta=st.sampled_from([0.5, 0.999]),
        eps=st.just(1e-2),
        eps_inside=st.booleans(),
        corrected=st.booleans(),
    )
    | st.builds(Scale, beta=st.just(0.9), eps=st.just(1e-2), eps_inside=st.booleans(), centered=st.just(True))
    # corrected, s − m² is 0 at the first step but for rounding, whose root a small ε does not hide
    | st.builds(
        Scale,
        beta=st.just(0.9),
        eps=st.just(1.0),
        eps_inside=st.just(True),
        corrected=st.just(True),
        centered=st.just(True),
    )
    | st.builds(Scale, beta=st.just(0.5), eps=st.just(1e-2), corrected=st.booleans(), amsgrad=st.just(True))
)


@st.composite
def updates(draw: st.DrawFn) -> Update:
    scale = draw(st.none() | SCALES)
    velocity = draw(VELOCITIES | SUMS | (SCALED_SUMS if scale else SUMS))
    return Update(
        lr=draw(st.sampled_from([0.0, 0.1])),
        velocity=velocity,
        scale=scale,
        weight_decay=draw(st.sampled_from([0.0, 0.1])),
        decoupled=draw(st.booleans()),
        maximize=draw(st.booleans()),
    )


def options_of(update: Update, t: int, gain: float) -> StepOptions:
    velocity, scale = update.velocity or Velocity(0.0), update.scale or Scale(0.0, 0.0)
    numbers: dict[str, Any] = {
        "beta1": velocity.beta,
        "dampening": velocity.dampening,
        "beta2": scale.beta,
        "lr": update.lr,
        "weight_decay": update.weight_decay,
    }
    return StepOptions(
        **numbers,
        velocity="ema" if velocity.form == "ema" else "sum",
        nesterov=velocity.nesterov,
        of_scaled=velocity.of_scaled,
        correct_velocity=velocity.corrected,
        eps=scale.eps,
        eps_inside=scale.eps_inside,
        correct_scale=scale.corrected,
        decoupled=update.decoupled,
        maximize=update.maximize,
        gain=gain,
        begun=[int(t > 0)] * 3,
    )


def names_of(update: Update) -> dict[str, str]:
    """Of the table's rows, and what the optimizers call them."""
    names: dict[str, str] = {}
    if update.velocity:
        names["velocity"] = "exp_avg" if update.velocity.form == "ema" else "momentum_buffer"
    if update.scale:
        names["square"] = update.scale.key
        names |= {"mean": "grad_avg"} if update.scale.centered else {}
        names |= {"largest": "max_exp_avg_sq"} if update.scale.amsgrad else {}
    return names | ({"step": "step"} if update.counts else {})


class Gain:
    def gain(self, t: int) -> float:
        return 1 / t


class TestAgainstTheOptimizers:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(updates(), st.sampled_from(list(TINY)), st.booleans(), st.integers(0, 9))
    def test_every_update(self, update: Update, dtype: torch.dtype, averages: bool, seed: int) -> None:
        names = names_of(update)
        ours = run([1, 33, 2050], dtype, (*names, *(("average",) if averages else ())), seed=seed)
        params = [p.clone() for p in ours.params]
        states: list[dict[str, Any]] = [{} for _ in params]
        for t in range(3):
            for p, g, state in zip(params, ours.grads[t], states, strict=True):
                descend_(p, g, state, update)
                if averages:
                    observe_(state, p, Gain())
            ours.step(options_of(update, t, gain=1 / (t + 1)), t)
        for p, expected in zip(ours.params, params, strict=True):
            close(p, expected, dtype)
        for name, key in (names | ({"average": "average"} if averages else {})).items():
            for x, state in zip(ours.memory[name], states, strict=True):
                close(x, state[key], dtype)


class TestSizes:
    @pytest.mark.parametrize("sizes", [[0], [1], [0, 0, 5, 0], [16384], [16383, 2, 16384, 0, 40000], [3] * 37])
    def test_every_element_is_stepped_once(self, sizes: list[int]) -> None:
        many = run(sizes, torch.float32, ("velocity",))
        before = [p.clone() for p in many.params]
        many.step(StepOptions(1.0, beta1=0.5))
        for p, old, g in zip(many.params, before, many.grads[0], strict=True):
            torch.testing.assert_close(p, old - g / 2)

    def test_five_thousand_tensors(self) -> None:
        many = run([5] * 5000, torch.float32, ("step", "square"))
        expected = [p - 0.5 * g.sign() for p, g in zip(many.params, many.grads[0], strict=True)]
        many.step(StepOptions(0.5, beta2=0.9, correct_scale=True))
        torch.testing.assert_close(torch.stack(many.params), torch.stack(expected))
        assert torch.stack(many.memory["step"]).eq(1).all()

    def test_no_tensors(self) -> None:
        assert not StepTable().take([], [], {})


class TestEachTensorItsOwn:
    def test_number_of_steps(self) -> None:
        two = run([4, 4], torch.float64, ("velocity", "step"))
        two.memory["step"][1].fill_(9.0)
        before = [p.clone() for p in two.params]
        two.step(StepOptions(1.0, beta1=0.5, correct_velocity=True))
        torch.testing.assert_close(two.params[0], before[0] - two.grads[0][0])
        torch.testing.assert_close(two.params[1], before[1] - two.grads[0][1] * 0.5 / (1 - 0.5**10))

    def test_factors_gains_and_beginnings(self) -> None:
        two = run([4, 4], torch.float64, ("velocity", "average"))
        two.memory["average_step"][1].fill_(7)
        assert two.table.take(two.params, two.grads[0], two.memory) and two.table.observations() == [0, 7]
        before = [p.clone() for p in two.params]
        two.step(StepOptions(1.0, velocity="sum", dampening=0.5, factors=[2.0, 0.0], gains=[0.25, 1.0], begun=[1, 0]))
        torch.testing.assert_close(two.params[0], before[0] - two.grads[0][0])
        torch.testing.assert_close(two.params[1], before[1])
        torch.testing.assert_close(two.memory["average"], [two.params[0] / 4, two.params[1]])

    def test_counters_in_float64(self) -> None:
        one = run([4], torch.float32, ("velocity",))
        one.memory["step"] = [torch.tensor(2.0**24, dtype=torch.float64)]
        one.step(StepOptions(1.0, beta1=0.5, correct_velocity=True))
        assert one.memory["step"][0].item() == 2.0**24 + 1


class TestNonfinite:
    @pytest.mark.parametrize("dtype", list(TINY))
    def test_stays_where_it_is(self, dtype: torch.dtype) -> None:
        one = run([40], dtype, ("velocity", "square", "average"))
        one.grads[0][0][7] = torch.nan
        one.grads[0][0][8] = torch.inf
        one.step(StepOptions(0.1, beta1=0.9, beta2=0.9, eps=1e-8, gain=0.1))
        bad = [7, 8]
        rest = [i for i in range(40) if i not in bad]
        for x in (one.params[0], *(row[0] for name, row in one.memory.items() if "step" not in name)):
            assert x[rest].isfinite().all()
        assert one.params[0][bad].isnan().all()
        assert one.memory["velocity"][0][7].isnan() and one.memory["velocity"][0][8].isinf()

    def test_infinite_weight_is_no_matter_of_the_gradient_without_decay(self) -> None:
        one = run([3], torch.float32, ("velocity",))
        one.params[0][0] = torch.inf
        one.step(StepOptions(0.1, beta1=0.9))
        assert one.params[0][0].isinf() and one.memory["velocity"][0].isfinite().all()

    def test_a_bound_keeps_nan(self) -> None:
        one = run([3], torch.float32, ())
        one.params[0].zero_()
        one.grads[0][0].copy_(torch.tensor([torch.nan, torch.inf, -torch.inf]))
        one.step(StepOptions(1.0, bound=0.5))
        torch.testing.assert_close(one.params[0], torch.tensor([torch.nan, -0.5, 0.5]), equal_nan=True)


class TestOptions:
    def test_a_correction_needs_a_counter(self) -> None:
        with pytest.raises(ValueError, match='give the table a "step"'):
            run([3], torch.float32, ("velocity",)).step(StepOptions(0.1, correct_velocity=True))

    def test_a_mean_needs_a_square(self) -> None:
        with pytest.raises(ValueError, match='goes with a "square"'):
            run([3], torch.float32, ("mean",)).step(StepOptions(0.1))

    def test_of_scaled_needs_both(self) -> None:
        with pytest.raises(ValueError, match="of_scaled needs"):
            run([3], torch.float32, ("square",)).step(StepOptions(0.1, of_scaled=True))

    def test_lists_have_one_number_a_tensor(self) -> None:
        with pytest.raises(ValueError, match="gains has 2 numbers for 1 tensors"):
            run([3], torch.float32, ("average",)).step(StepOptions(0.1, gains=[1.0, 2.0]))
