"""The step through the native core equals the step by torch operations, and is taken wherever it can be."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from trimtab.average import EMA
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.kernels import native
from trimtab.kernels.step import StepTable
from trimtab.optim import SGD, Adam, AdamW, RMSprop

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

CONFIGURATIONS = [
    (SGD, {}),
    (SGD, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}),
    (SGD, {"momentum": 0.9, "nesterov": True}),
    (SGD, {"momentum": 0.9, "momentum_form": "ema", "bias_correction": True, "decoupled_weight_decay": True}),
    (RMSprop, {"eps_inside_sqrt": True, "weight_decay": 0.1}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (RMSprop, {"momentum": 0.9, "momentum_form": "ema", "bias_correction": True}),
    (Adam, {"weight_decay": 0.1}),
    (Adam, {"amsgrad": True, "eps_inside_sqrt": True}),
    (Adam, {"bias_correction": False, "maximize": True}),
    (AdamW, {"weight_decay": 0.1}),
]
CLIPS = [
    None,
    ClipByValue(0.5),
    ClipByNorm(1.0),
    ClipByNorm(1e9),
    ClipByNorm(0.7, over="group"),
    ClipByNorm(0.3, over="parameter"),
]
each = pytest.mark.parametrize(("kind", "options"), CONFIGURATIONS)


class Watched(StepTable):
    """Counts the steps that the core takes."""

    steps = 0

    def step(self, options):
        Watched.steps += 1
        super().step(options)


@pytest.fixture
def taken(monkeypatch):
    monkeypatch.setattr("trimtab.optim.fused.StepTable", Watched)
    Watched.steps = 0
    return lambda: Watched.steps


def parameters(dtype=torch.float32):
    torch.manual_seed(0)
    shapes = [(3, 5), (), (0,), (17,), (4, 3, 2, 2), (1000,)]
    params = [nn.Parameter(torch.randn(shape).to(dtype)) for shape in shapes]
    params[4].data = params[4].data.contiguous(memory_format=torch.channels_last)
    return params


def train(kind, options, *, dtype=torch.float32, steps=5, clip=None, average=None, scale=None, skip=(), **more):
    params = parameters(dtype)
    optimizer = kind(
        [{"params": params[:2], "lr": 0.02}, {"params": params[2:]}], lr=0.01, clip=clip, average=average, **options
    )
    for t in range(steps):
        torch.manual_seed(t)
        for i, p in enumerate(params):
            p.grad = None if (t, i) in skip else torch.randn_like(p) * (1 if scale is None else scale)
        if scale is not None:
            optimizer.grad_scale, optimizer.found_inf = torch.tensor(float(scale)), torch.tensor(0.0)
        optimizer.step()
    return params, optimizer


def same(ours, theirs, **tolerance):
    for (params, optimizer), (expected, reference) in [(ours, theirs)]:
        torch.testing.assert_close(params, expected, **tolerance)
        for p, q in zip(params, expected, strict=True):
            assert optimizer.state[p].keys() == reference.state[q].keys()
            for key, value in reference.state[q].items():
                torch.testing.assert_close(optimizer.state[p][key], value, **tolerance, msg=key)
        if reference.grad_norm is not None:
            torch.testing.assert_close(optimizer.grad_norm, reference.grad_norm)


def both(monkeypatch, *args, **kwargs):
    ours = train(*args, **kwargs)
    monkeypatch.setattr(native, "available", lambda: False)
    return ours, train(*args, **kwargs)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_it_is_the_step_by_torch_operations(monkeypatch, taken, kind, options, dtype):
    tolerance = {} if dtype in (torch.float32, torch.float64) else {"rtol": 2e-2, "atol": 2e-2}
    same(*both(monkeypatch, kind, options, dtype=dtype, clip=ClipByNorm(2.0), average=EMA(0.9)), **tolerance)
    assert taken() > 0


@pytest.mark.parametrize("clip", CLIPS, ids=str)
@pytest.mark.parametrize("scale", [None, 1024.0])
def test_it_clips_and_unscales_alike(monkeypatch, taken, clip, scale):
    same(*both(monkeypatch, Adam, {}, clip=clip, scale=scale))
    assert taken() > 0


def test_a_short_gradient_is_stepped_bit_for_bit_as_without_clipping(taken):
    short, _ = train(Adam, {}, clip=ClipByNorm(1e9))
    plain, _ = train(Adam, {})
    assert all(map(torch.equal, short, plain)) and taken() > 0


def test_gradients_that_come_and_go(monkeypatch, taken):
    skip = {(0, 3), (1, 3), (2, 0), (2, 1), (3, 4)}
    same(*both(monkeypatch, AdamW, {}, steps=8, average=EMA(0.9), clip=ClipByNorm(1.0), skip=skip))
    assert taken() > 0


def test_a_step_is_torchs_where_the_core_cannot(monkeypatch, taken):
    def run():
        torch.manual_seed(0)
        p = nn.Parameter(torch.randn(4, 6))
        optimizer = Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = torch.randn(6, 4).t()  # another order of memory
            optimizer.step()
        return p

    ours, steps = run(), taken()
    monkeypatch.setattr(native, "available", lambda: False)
    assert torch.equal(ours, run()) and steps == 0


def test_a_gradient_so_long_that_float32_could_not_hold_its_factor(taken):
    p = nn.Parameter(torch.zeros(3))
    optimizer = SGD([p], lr=1.0, clip=ClipByNorm(1e-20))
    p.grad = torch.full((3,), 1e20)
    optimizer.step()
    torch.testing.assert_close(p.data, torch.full((3,), -1e-20 / 3**0.5), rtol=1e-6, atol=0)
    assert taken() == 0


def test_autograd_knows_that_the_weights_have_changed(taken):
    w = nn.Parameter(torch.ones(3))
    optimizer = SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    assert taken() == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_gradients_are_let_go_of(taken):
    p = nn.Parameter(torch.ones(8))
    optimizer = Adam([p])
    for _ in range(3):
        p.grad = torch.ones(8)
        optimizer.step()
    assert taken() > 0
    gradient = weakref.ref(p.grad)
    optimizer.zero_grad()
    gc.collect()
    assert gradient() is None


def test_results_do_not_depend_on_the_number_of_threads(taken):
    threads = torch.get_num_threads()
    try:
        outcomes = []
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            outcomes.append(train(Adam, {}, clip=ClipByNorm(1.0), average=EMA(0.9))[0])
    finally:
        torch.set_num_threads(threads)
    assert all(map(torch.equal, outcomes[0], outcomes[1])) and all(map(torch.equal, outcomes[0], outcomes[2]))
