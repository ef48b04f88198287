from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.kernels.triton.steps import Expected, array, close, wide
from trimtab.kernels.triton.chunks import BLOCK, CHUNK
from trimtab.kernels.triton.plan import Plan, Values
from trimtab.kernels.triton.step import Signals, StepTable

SIZES = [1, 33, BLOCK + 7]


@dataclass
class Run:
    """Parameters, gradients and memory on a device."""

    device: torch.device
    dtype: torch.dtype
    params: list[Tensor]
    memory: dict[Any, list[Tensor]]
    signals: Signals
    table: StepTable = field(default_factory=StepTable)
    grads: list[Tensor] = field(default_factory=list)

    def draw(self, scale: float = 1.0) -> None:
        """New gradients."""
        self.grads = [torch.randn(p.shape).to(self.device, self.dtype) * scale for p in self.params]

    def step(self, plan: Plan, values: Values, **options: Any) -> None:
        assert self.table.take(self.params, self.grads, self.memory)
        if plan.clip or self.signals.looks:
            self.table.measure(self.signals.norms[0])
        self.table.step(plan, values, self.signals, **options)

    @property
    def skipped(self) -> int:
        """How many steps were left out."""
        assert self.signals.skipped is not None
        return int(self.signals.skipped)

    def everything(self) -> list[Tensor]:
        """A copy of all that a step may change."""
        return [x.clone() for x in (*self.params, *itertools.chain(*self.memory.values()))]


def begin(
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    names: tuple[str, ...] = (),
    sizes: list[int] = SIZES,
    **signals: Any,
) -> Run:
    torch.manual_seed(0)
    params = [torch.randn(n).to(device, dtype) for n in sizes]
    memory: dict[Any, list[Tensor]] = {
        name: [torch.zeros(n, dtype=wide(dtype), device=device) for n in sizes] for name in names
    }
    if "average" in memory:
        memory["average_step"] = [torch.zeros((), dtype=torch.int64, device=device) for _ in sizes]
    memory["step"] = [torch.zeros((), device=device) for _ in sizes]
    shared = {"norms": torch.zeros(1, dtype=torch.float64), "skipped": torch.zeros(1, dtype=torch.int64)}
    kept = {name: value.to(device) for name, value in shared.items()}
    return Run(device, dtype, params, memory, Signals(**kept, **signals))


ADAM = Plan(correct_velocity=True, correct_scale=True)
FORMS: dict[str, tuple[Plan, tuple[str, ...]]] = {
    "descent": (Plan(), ()),
    "descent, clipped by value, decayed": (Plan(bounded=True, decays=True), ()),
    "momentum as torch sums it": (Plan(velocity="sum", decays=True, maximize=True), ("velocity",)),
    "Nesterov, summed": (Plan(velocity="sum", nesterov=True), ("velocity",)),
    "Nesterov, averaged": (Plan(nesterov=True, correct_velocity=True, decays=True, decoupled=True), ("velocity",)),
    "RMSprop": (Plan(decays=True), ("square",)),
    "RMSprop inside, corrected": (Plan(eps_inside=True, correct_scale=True), ("square",)),
    "RMSprop of scaled, centred": (Plan(velocity="sum", of_scaled=True), ("velocity", "square", "mean")),
    "RMSprop centred, corrected": (Plan(eps_inside=True, correct_scale=True, maximize=True), ("square", "mean")),
    "Adam": (ADAM, ("velocity", "square")),
    "Adam inside": (replace(ADAM, eps_inside=True, decays=True), ("velocity", "square")),
    "AMSGrad": (replace(ADAM, maximize=True), ("velocity", "square", "largest")),
    "AdamW": (replace(ADAM, decays=True, decoupled=True), ("velocity", "square")),
}
VALUES = Values(0.1, 0.8, 0.3, 0.9, 1e-2, 0.05, 0.7, 1.0, 0.9)


class TestFormulas:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_every_form(self, device: torch.device, form: str, dtype: torch.dtype) -> None:
        follow(device, dtype, *FORMS[form])

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    @pytest.mark.parametrize("form", ["descent", "Nesterov, summed", "RMSprop", "Adam"])
    def test_short_formats_are_stepped_in_float32(self, device: torch.device, form: str, dtype: torch.dtype) -> None:
        follow(device, dtype, *FORMS[form])


def follow(device: torch.device, dtype: torch.dtype, plan: Plan, names: tuple[str, ...]) -> None:
    """Two steps with averages, beside the formulas in float64."""
    run = begin(device, dtype, (*names, "average"))
    expected = [
        Expected(array(p), dtype, {name: array(torch.zeros(p.shape)) for name in (*names, "average")})
        for p in run.params
    ]
    values = replace(VALUES, eps=1.0) if "mean" in names else VALUES
    for t in range(2):
        run.draw()
        run.step(plan, values)
        for told, g in zip(expected, run.grads, strict=True):
            told.step(array(g), plan, values, gain=(1.0, 0.1 / (1 - 0.9**2))[t])
    for k, told in enumerate(expected):
        close(run.params[k], told.w, dtype)
        for name in names:
            close(run.memory[name][k], told.memory[name], wide(dtype))
        close(run.memory["average"][k], told.memory["average"], dtype)
    assert [int(t) for t in run.memory["step"]] == [2, 2, 2]
    assert [int(t) for t in run.memory["average_step"]] == [2, 2, 2]


class TestSizes:
    @pytest.mark.parametrize(
        "sizes", [[0], [1], [0, 0, 5, 0], [CHUNK], [BLOCK - 1, BLOCK, CHUNK + 1, 0, 2 * CHUNK + 3], [3] * 40], ids=str
    )
    def test_every_element_is_stepped_once(self, device: torch.device, sizes: list[int]) -> None:
        run = begin(device, sizes=sizes)
        run.draw()
        before = [p.clone() for p in run.params]
        run.step(Plan(), Values(0.5))
        for p, old, g in zip(run.params, before, run.grads, strict=True):
            torch.testing.assert_close(p, old - 0.5 * g)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_tensors_that_are_not_aligned(self, device: torch.device, dtype: torch.dtype) -> None:
        run = begin(device, dtype, sizes=[2 * BLOCK, 2 * BLOCK])
        room = torch.zeros(4 * BLOCK + 9, device=device, dtype=dtype)
        run.params[1] = room[3 : 3 + 2 * BLOCK].normal_()
        run.draw()
        before = [p.clone() for p in run.params]
        run.step(Plan(), Values(0.5))
        for p, old, g in zip(run.params, before, run.grads, strict=True):
            torch.testing.assert_close(p, old - 0.5 * g)
        assert not room[:3].any() and not room[3 + 2 * BLOCK :].any()


class TestEachTensorItsOwn:
    def test_number_of_steps(self, device: torch.device) -> None:
        run = begin(device, torch.float64, ("velocity",), sizes=[4, 4])
        run.memory["step"][1].fill_(9.0)
        run.draw()
        before = [p.clone() for p in run.params]
        run.step(Plan(correct_velocity=True), Values(1.0, beta1=0.5))
        torch.testing.assert_close(run.params[0], before[0] - run.grads[0])
        torch.testing.assert_close(run.params[1], before[1] - run.grads[1] * 0.5 / (1 - 0.5**10))

    def test_counters_in_float64(self, device: torch.device) -> None:
        run = begin(device, names=("velocity",), sizes=[4])
        run.memory["step"] = [torch.tensor(2.0**24, dtype=torch.float64, device=device)]
        run.draw()
        run.step(Plan(correct_velocity=True), Values(1.0, beta1=0.5))
        assert run.memory["step"][0].item() == 2.0**24 + 1


class TestClipping:
    def test_together(self, device: torch.device) -> None:
        run = begin(device, torch.float64)
        run.draw(scale=3.0)
        before, reported = [p.clone() for p in run.params], torch.zeros((), dtype=torch.float64, device=device)
        run.step(Plan(clip="together"), Values(1.0, max_norm=2.0), over=(0, 1), reported=reported)
        norm = torch.cat(run.grads).norm()
        torch.testing.assert_close(reported, norm)
        for p, old, g in zip(run.params, before, run.grads, strict=True):
            torch.testing.assert_close(p, old - 2 * g / norm)

    def test_each(self, device: torch.device) -> None:
        run = begin(device, torch.float64)
        run.draw()
        before, reported = [p.clone() for p in run.params], torch.zeros(3, dtype=torch.float64, device=device)
        run.step(Plan(clip="each"), Values(1.0, max_norm=2.0), reported=reported)
        torch.testing.assert_close(reported, torch.stack([g.norm() for g in run.grads]))
        for p, old, g in zip(run.params, before, run.grads, strict=True):
            torch.testing.assert_close(p, old - g * min(1.0, 2.0 / g.norm().item()))

    def test_a_short_gradient_keeps_every_bit(self, device: torch.device) -> None:
        clipped, plain = begin(device), begin(device)
        reported = torch.zeros((), dtype=torch.float64, device=device)
        for run, plan in ((clipped, Plan(clip="together")), (plain, Plan())):
            torch.manual_seed(1)
            run.draw()
            run.step(plan, Values(0.1, max_norm=1e9), over=(0, 1), reported=reported)
        assert all(map(torch.equal, clipped.params, plain.params))

    def test_a_factor_that_float32_cannot_hold(self, device: torch.device) -> None:
        run = begin(device, sizes=[3])
        run.params[0].zero_()
        run.grads = [torch.full((3,), 1e20, device=device)]
        reported = torch.zeros((), dtype=torch.float64, device=device)
        run.step(Plan(clip="together"), Values(1.0, max_norm=1e-20), over=(0, 1), reported=reported)
        torch.testing.assert_close(run.params[0], torch.full((3,), -1e-20 / 3**0.5, device=device), rtol=1e-6, atol=0)


class TestLeftOut:
    def test_by_a_scaler(self, device: torch.device) -> None:
        found = torch.ones(1, device=device)
        run = begin(device, names=("velocity", "square", "average"), found=found)
        run.draw()
        before = run.everything()
        run.step(ADAM, VALUES)
        assert all(map(torch.equal, before, run.everything())) and run.skipped == 1
        found.zero_()
        run.step(ADAM, VALUES)
        assert not torch.equal(before[2], run.params[2]) and run.skipped == 1
        assert {int(t) for t in run.memory["step"]} == {1}

    @pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
    def test_by_a_gradient_that_is_not_finite(self, device: torch.device, bad: float) -> None:
        run = begin(device, looks=True)
        run.draw()
        run.grads[2][BLOCK + 3] = bad
        before, reported = run.everything(), torch.full((), 7.0, dtype=torch.float64, device=device)
        run.step(Plan(clip="together"), VALUES, over=(0, 1), reported=reported)
        assert all(map(torch.equal, before, run.everything())) and run.skipped == 1
        assert reported == 7

    def test_a_scale_divides(self, device: torch.device) -> None:
        run = begin(device, scale=torch.tensor(1024.0, device=device))
        run.draw(scale=1024.0)
        before = [p.clone() for p in run.params]
        run.step(Plan(bounded=True), Values(1.0, bound=0.5))
        for p, old, g in zip(run.params, before, run.grads, strict=True):
            torch.testing.assert_close(p, old - (g / 1024).clamp(-0.5, 0.5))

    def test_passed_on_otherwise(self, device: torch.device) -> None:
        run = begin(device, names=("velocity", "square", "average"), sizes=[40])
        run.draw()
        run.grads[0][7], run.grads[0][8] = torch.nan, torch.inf
        run.step(Plan(), replace(VALUES, eps=1e-8))
        rest = [i for i in range(40) if i not in (7, 8)]
        for x in (run.params[0], *(run.memory[name][0] for name in ("velocity", "square", "average"))):
            assert x[rest].isfinite().all()
        assert run.params[0][[7, 8]].isnan().all()
        assert run.memory["velocity"][0][7].isnan() and run.memory["velocity"][0][8].isinf()

    def test_a_bound_keeps_nan(self, device: torch.device) -> None:
        run = begin(device, sizes=[3])
        run.params[0].zero_()
        run.grads = [torch.tensor([torch.nan, torch.inf, -torch.inf], device=device)]
        run.step(Plan(bounded=True), Values(1.0, bound=0.5))
        torch.testing.assert_close(run.params[0].cpu(), torch.tensor([torch.nan, -0.5, 0.5]), equal_nan=True)


class TestLiveNumbers:
    def test_a_tensor_is_read_at_each_step(self, device: torch.device) -> None:
        run, lr = begin(device, torch.float64), torch.tensor(0.5, device=device)
        for rate in (0.5, 0.25):
            lr.fill_(rate)
            run.draw()
            before = [p.clone() for p in run.params]
            run.step(Plan(), Values(lr))
            for p, old, g in zip(run.params, before, run.grads, strict=True):
                torch.testing.assert_close(p, old - rate * g)

    def test_numbers_keep_their_digits(self, device: torch.device) -> None:
        run = begin(device, torch.float64, ("velocity",), sizes=[5])
        run.draw()
        run.step(Plan(), Values(1e-3, beta1=0.999))
        torch.testing.assert_close(run.memory["velocity"][0], run.grads[0] * (1 - 0.999), rtol=1e-15, atol=0)


class TestRefusals:
    @pytest.mark.parametrize(
        ("plan", "names", "words"),
        [
            (Plan(), ("mean",), 'goes with a "square"'),
            (Plan(of_scaled=True), ("square",), "of_scaled needs"),
            (Plan(clip="each"), (), "needs a place for the norms"),
        ],
    )
    def test_a_plan_needs_its_memory(
        self, device: torch.device, plan: Plan, names: tuple[str, ...], words: str
    ) -> None:
        run = begin(device, names=names)
        run.draw()
        with pytest.raises(ValueError, match=words):
            run.step(plan, VALUES)

    def test_a_correction_needs_a_counter(self, device: torch.device) -> None:
        run = begin(device, names=("velocity",))
        run.draw()
        del run.memory["step"]
        with pytest.raises(ValueError, match='give the table a "step"'):
            run.step(Plan(correct_velocity=True), VALUES)

    def test_a_step_needs_tensors(self, device: torch.device) -> None:
        run = begin(device)
        with pytest.raises(RuntimeError, match="has no tensors"):
            run.table.step(Plan(), VALUES, run.signals)
