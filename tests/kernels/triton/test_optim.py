"""An optimizer's step through the kernels is its step by torch operations, and is taken wherever it can be."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trimtab.average import EMA, RunningMean
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.kernels import native
from trimtab.kernels.triton import presence
from trimtab.kernels.triton.step import StepTable
from trimtab.optim import SGD, Adam, AdamW, Descent, RMSprop

Kind = Callable[..., Descent]
CONFIGURATIONS: list[tuple[Kind, dict[str, Any]]] = [
    (SGD, {}),
    (SGD, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}),
    (SGD, {"momentum": 0.9, "nesterov": True}),
    (SGD, {"momentum": 0.9, "momentum_form": "ema", "bias_correction": True, "decoupled_weight_decay": True}),
    (RMSprop, {"eps_inside_sqrt": True, "weight_decay": 0.1}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adam, {"weight_decay": 0.1, "capturable": True}),
    (Adam, {"amsgrad": True, "eps_inside_sqrt": True}),
    (AdamW, {"weight_decay": 0.1}),
]
AVERAGES = [EMA(0.9), EMA(0.9, warmup=True), EMA(0.9, start="first"), EMA(0.5, bias_correction=False), RunningMean()]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StepTable]]:
    """The tables that have stepped, in turn."""
    steps: list[StepTable] = []
    step = StepTable.step

    def counted(table: StepTable, *args: Any, **options: Any) -> None:
        steps.append(table)
        step(table, *args, **options)

    monkeypatch.setattr(StepTable, "step", counted)
    yield steps


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Leaves the step to torch operations from now on."""

    def switch() -> None:
        monkeypatch.setattr(presence, "KINDS", ())
        monkeypatch.setattr(native, "available", lambda: False)

    return switch


def train(
    device: torch.device,
    kind: Kind,
    options: dict[str, Any],
    *,
    steps: int = 3,
    dtype: torch.dtype = torch.float32,
    scale: float | None = None,
    overflows: tuple[int, ...] = (),
    idle: tuple[tuple[int, int], ...] = (),
    **more: Any,
) -> tuple[list[Tensor], Descent]:
    """Five parameters of odd shapes in two groups, and the optimizer that has stepped them."""
    torch.manual_seed(0)
    shapes = [(3, 5), (), (0,), (2, 3, 2, 2), (300,)]
    params = [nn.Parameter(torch.randn(shape).to(device, dtype)) for shape in shapes]
    params[3].data = params[3].data.contiguous(memory_format=torch.channels_last)
    groups = [{"params": params[:2], "lr": 0.02}, {"params": params[2:]}]
    optimizer = kind(groups, lr=0.01, **options, **more)
    for t in range(steps):
        torch.manual_seed(t)
        for i, p in enumerate(params):
            p.grad = (
                None
                if (t, i) in idle
                else torch.randn_like(p.detach().cpu()).to(device) * (1 if scale is None else scale)
            )
            if p.grad is not None and t in overflows and i == 4:
                p.grad[7] = torch.inf
        if scale is not None:
            vars(optimizer)["grad_scale"] = torch.tensor(float(scale), device=device)
            vars(optimizer)["found_inf"] = torch.tensor(float(t in overflows), device=device)
        optimizer.step()
    return [p.detach() for p in params], optimizer


def same(ours: tuple[list[Tensor], Descent], theirs: tuple[list[Tensor], Descent], **tolerance: Any) -> None:
    (params, optimizer), (expected, reference) = ours, theirs
    torch.testing.assert_close(params, expected, **tolerance)
    states, told = (o.state_dict()["state"] for o in (optimizer, reference))
    assert states.keys() == told.keys()
    for i, state in told.items():
        assert states[i].keys() == state.keys()
        for key, value in state.items():
            torch.testing.assert_close(states[i][key].cpu(), value.cpu(), **tolerance, msg=f"{key} of {i}")
    assert optimizer.skipped_steps == reference.skipped_steps
    if reference.grad_norm is not None:
        torch.testing.assert_close(optimizer.grad_norm, reference.grad_norm, check_device=False)


@pytest.mark.parametrize(("kind", "options"), CONFIGURATIONS)
def test_it_is_the_step_by_torch_operations(device, taken, without, kind, options) -> None:
    more = {"clip": ClipByNorm(2.0), "average": EMA(0.9)}
    ours = train(device, kind, options, **more)
    assert len(taken) == 4  # two groups; the first step begins the states
    without()
    same(ours, train(device, kind, options, **more))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_formats(device, taken, without, dtype) -> None:
    ours = train(device, Adam, {}, dtype=dtype, average=EMA(0.9))
    assert taken
    without()
    tolerance: dict[str, Any] = {} if dtype == torch.float64 else {"rtol": 2e-2, "atol": 2e-2}
    same(ours, train(device, Adam, {}, dtype=dtype, average=EMA(0.9)), **tolerance)


@pytest.mark.parametrize(
    "clip",
    [ClipByValue(0.5), ClipByNorm(1.0), ClipByNorm(1e9), ClipByNorm(0.7, "group"), ClipByNorm(0.3, "parameter")],
    ids=str,
)
@pytest.mark.parametrize("scale", [None, 1024.0])
def test_it_clips_and_unscales_alike(device, taken, without, clip, scale) -> None:
    ours = train(device, Adam, {}, clip=clip, scale=scale)
    assert taken
    without()
    same(ours, train(device, Adam, {}, clip=clip, scale=scale))


@pytest.mark.parametrize("average", AVERAGES, ids=str)
def test_averages_have_their_gain(device, taken, without, average) -> None:
    ours = train(device, SGD, {"momentum": 0.9}, average=average, steps=6)
    assert len(taken) == 10
    without()
    same(ours, train(device, SGD, {"momentum": 0.9}, average=average, steps=6))


@pytest.mark.parametrize("options", [{"on_nonfinite": "skip"}, {"on_nonfinite": "skip", "clip": ClipByNorm(1.0)}])
def test_a_step_is_left_out_and_counted(device, taken, without, options) -> None:
    more: dict[str, Any] = {**options, "average": EMA(0.9), "overflows": (1, 3), "steps": 5}
    ours = train(device, Adam, {}, **more)
    assert len(taken) == 8
    without()
    theirs = train(device, Adam, {}, **more)
    same(ours, theirs)
    assert theirs[1].skipped_steps == 2


def test_a_scaler_leaves_steps_out(device, taken, without) -> None:
    more: dict[str, Any] = {"overflows": (1,), "scale": 8.0, "clip": ClipByNorm(1.0), "steps": 4}
    ours = train(device, Adam, {}, **more)
    without()
    same(ours, train(device, Adam, {}, **more))
    assert ours[1].skipped_steps == 1


def test_raise_names_the_parameter(device, taken) -> None:
    with pytest.raises(FloatingPointError, match="parameter 4 has inf or NaN"):
        train(device, Adam, {}, on_nonfinite="raise", overflows=(2,))
    assert len(taken) == 2


def test_gradients_that_come_and_go(device, taken, without) -> None:
    idle = ((0, 3), (1, 3), (2, 0), (2, 1), (3, 4))
    ours = train(device, AdamW, {}, steps=6, average=EMA(0.9), clip=ClipByNorm(1.0), idle=idle)
    assert taken
    without()
    same(ours, train(device, AdamW, {}, steps=6, average=EMA(0.9), clip=ClipByNorm(1.0), idle=idle))


def test_parameters_of_several_formats(device, taken, without) -> None:
    def run() -> tuple[list[Tensor], Descent]:
        torch.manual_seed(0)
        dtypes = [torch.bfloat16, torch.float32, torch.bfloat16]
        params = [nn.Parameter(torch.randn(5).to(device, dtype)) for dtype in dtypes]
        optimizer = AdamW(params, lr=0.1, clip=ClipByNorm(0.5))
        for _ in range(3):
            for p in params:
                p.grad = torch.randn(5).to(p)
            optimizer.step()
        return [p.detach() for p in params], optimizer

    ours = run()
    assert len(taken) == 4
    without()
    same(ours, run(), rtol=1e-2, atol=1e-2)


def test_a_tensor_lr_is_read_on_the_device(device, taken, without) -> None:
    def run() -> tuple[list[Tensor], Descent]:
        p, lr = nn.Parameter(torch.ones(5, device=device)), torch.tensor(0.1, device=device)
        optimizer = Adam([p], lr=lr, capturable=True)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        for t in range(4):
            p.grad = torch.full((5,), 1.0 + t, device=device)
            optimizer.step()
            scheduler.step()
        return [p.detach()], optimizer

    ours = run()
    assert len(taken) == 3
    without()
    same(ours, run())


def test_what_the_kernels_cannot_step_is_stepped_by_torch(device, taken) -> None:
    class Own:
        def gain(self, t: int) -> float:
            return 1 / t

    train(device, SGD, {"momentum": 0.9}, average=Own())
    p = nn.Parameter(torch.randn(4, 6, device=device))
    optimizer = Adam([p])
    for _ in range(3):
        p.grad = torch.randn(6, 4, device=device).t()
        optimizer.step()
    assert not taken


def test_autograd_knows_that_the_weights_have_changed(device, taken) -> None:
    w = nn.Parameter(torch.ones(3, device=device))
    optimizer = SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    assert taken
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_states_go_on_elsewhere(device, taken, without) -> None:
    options: dict[str, Any] = {"clip": ClipByNorm(1.0), "average": EMA(0.9)}
    params, optimizer = train(device, Adam, {}, on_nonfinite="skip", overflows=(2,), steps=4, **options)
    copy = pickle.loads(pickle.dumps(optimizer))
    halves = [[nn.Parameter(p.clone()) for p in some] for some in (params[:2], params[2:])]
    other = Adam([{"params": halves[0], "lr": 0.02}, {"params": halves[1]}], lr=0.01, **options)
    other.load_state_dict(optimizer.state_dict())
    assert copy.skipped_steps == other.skipped_steps == 1
    theirs = [p for group in other.param_groups for p in group["params"]]
    before = len(taken)
    for p, q in zip((p for group in optimizer.param_groups for p in group["params"]), theirs, strict=True):
        q.grad = p.grad = torch.ones_like(p)
    optimizer.step()
    assert len(taken) == before + 2
    without()
    other.step()
    torch.testing.assert_close([p.detach() for p in theirs], params)


def test_the_norm_of_an_earlier_step_stays(device, taken) -> None:
    p = nn.Parameter(torch.zeros(4, device=device))
    optimizer = SGD([p], clip=ClipByNorm(1.0))
    norms = []
    for t in range(3):
        p.grad = torch.full((4,), float(t), device=device)
        optimizer.step()
        norms.append(optimizer.grad_norm)
    assert [norm.item() for norm in norms if norm is not None] == [0.0, 2.0, 4.0] and len(taken) == 3
